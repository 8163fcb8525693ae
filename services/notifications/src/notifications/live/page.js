// The live event view. Draws the picture from /live/topology, and shows in it what /live/events says.

import { draw } from "./picture.js";

const WORST_IN_TABLE = 50;
const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en").format;
const clock = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3,
});
const SAYS = {
  connecting: "正在连接 · connecting",
  connected: "日志已连接 · reading the log",
  away: "Kafka 不可用，正在重连 · Kafka is away, reconnecting",
  cut: "与本页服务的连接中断，正在重连 · connection lost, reconnecting",
};

const topology = await (await fetch("live/topology")).json();
const service = Object.fromEntries(topology.services.map((it) => [it.name, it]));
const narrow = matchMedia("(max-width: 720px)");
const still = matchMedia("(prefers-reduced-motion: reduce)");
let totals = {};
let picture = paint();
narrow.addEventListener("change", () => { picture = paint(); });

function paint() {
  const drawn = draw($("picture"), topology, narrow.matches, () => still.matches);
  drawn.totals(totals);
  return drawn;
}

const last = [];      // newest first
const minute = [];    // [when, how many]
let waiting = [];
let due = false;

function show(state) {
  $("status").dataset.state = state;
  $("status").lastElementChild.textContent = SAYS[state];
}

function passed(event) {
  waiting.push(event);
  if (!due) {
    due = true;
    document.hidden ? setTimeout(take, 500) : requestAnimationFrame(take);
  }
}

function take() {
  due = false;
  const events = waiting;
  waiting = [];
  minute.push([performance.now(), events.length]);
  for (const event of events) {
    const topic = `${event.service}.${event.aggregate}`;
    totals[topic] = (totals[topic] ?? 0) + 1;
  }
  picture.passed(events);
  picture.totals(totals);
  last.unshift(...events.slice(-WORST_IN_TABLE).reverse());
  last.length = Math.min(last.length, WORST_IN_TABLE);
  table();
  figures();
}

function words(event) {
  const [, , aggregate, happened] = event.type.split(".");
  const zh = [aggregate, happened].map((it) => topology.words[it] ?? "").join("");
  return { zh, en: `${aggregate} ${happened.replaceAll("_", " ")}` };
}

function cell(row, className) {
  const made = row.insertCell();
  if (className) made.className = className;
  return made;
}

function add(parent, tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  parent.append(made);
  return made;
}

function table() {
  const rows = last.map((event) => {
    const row = document.createElement("tr");
    row.style.setProperty("--colour", `var(--${event.service})`);
    cell(row).textContent = clock.format(new Date(event.time));
    const by = cell(row);
    add(by, "b", service[event.service]?.zh ?? event.service);
    by.append(" ");
    add(by, "small", event.service);
    const what = cell(row);
    const { zh, en } = words(event);
    add(what, "b", zh || en);
    what.append(" ");
    add(what, "small", en);
    const stream = add(cell(row), "code", event.stream.length > 22 ? `${event.stream.slice(0, 21)}…` : event.stream);
    stream.title = event.stream;
    cell(row, "number").textContent = lag(event.lag_ms);
    return row;
  });
  $("last").replaceChildren(...rows);
}

function lag(ms) {
  return ms < 1000 ? `${ms} ms` : ms < 100_000 ? `${(ms / 1000).toFixed(1)} s` : `${number(Math.round(ms / 1000))} s`;
}

function figures() {
  const since = performance.now() - 60_000;
  while (minute.length && minute[0][0] < since) minute.shift();
  $("rate").textContent = number(minute.reduce((sum, [, count]) => sum + count, 0));
  $("total").textContent = number(Object.values(totals).reduce((sum, count) => sum + count, 0));
  const lags = last.map((event) => event.lag_ms).sort((a, b) => a - b);
  if (lags.length) $("lag").textContent = lag(lags[lags.length >> 1]);
}
setInterval(figures, 2000);

const source = new EventSource("live/events");
source.addEventListener("state", (message) => {
  const state = JSON.parse(message.data);
  show(state.kafka);
  totals = Object.fromEntries(
    Object.entries(state.totals).map(([topic, count]) => [topic.split(".").slice(-2).join("."), count]),
  );
  picture.totals(totals);
  figures();
});
source.addEventListener("passed", (message) => passed(JSON.parse(message.data)));
source.onerror = () => show("cut");
