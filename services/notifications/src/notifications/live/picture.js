// Four services around one log. `draw` makes the picture and returns what changes it.

const SVG = "http://www.w3.org/2000/svg";
const IN_FLIGHT = 48;      // dots at a time; more events than that are counted, and only some of them drawn
const FLIGHT = 2600;       // milliseconds from the publisher to a follower
const number = new Intl.NumberFormat("en").format;
const since = {};          // counts since the page was opened: by event type, and by service what it followed

// Where things stand. A link goes from a box to the log's axis: `out` for what it publishes, `in` for what it follows.
function wide(services) {
  const width = 520, columns = 4;
  const high = 88 + 54 * Math.ceil(Math.max(...services.map(({ aggregates }) => aggregates.length)) / columns);
  const log = high + 72, middle = log + 42, low = log + 140;
  return {
    view: [1200, low + 212],
    log: { x: 20, y: log, width: 1160, height: 84, text: [600, middle - 4], axis: [[40, middle], [1160, middle]] },
    boxes: Object.fromEntries(services.map(({ name }, nth) => {
      const x = nth % 2 ? 660 : 20, top = nth < 2, y = top ? 16 : low, height = top ? high : 196;
      const edge = top ? y + height : y;
      const at = (across) => [[x + across, edge], [x + across, middle]];
      return [name, { x, y, width, height, columns, out: at(150), in: at(370) }];
    })),
  };
}

function tall(services) {
  const width = 336, tops = [0, 192, 340, 488];
  return {
    view: [420, 640],
    log: { x: 6, y: 8, width: 44, height: 624, text: [28, 320], axis: [[28, 20], [28, 620]], upright: true },
    boxes: Object.fromEntries(services.map(({ name, aggregates }, nth) => {
      const height = aggregates.length > 4 ? 176 : 132, y = tops[nth] + 8, x = 80;
      const at = (down) => [[x, y + down], [28, y + down]];
      return [name, { x, y, width, height, columns: 3, out: at(36), in: at(height - 30) }];
    })),
  };
}

function make(parent, tag, attributes = {}, text) {
  const made = document.createElementNS(SVG, tag);
  const { style = "", ...others } = attributes;
  for (const [name, value] of Object.entries(others)) made.setAttribute(name, value);
  made.style.cssText = style; // as an attribute the page's policy would not let it pass
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

function chip(parent, x, y, width, height) {
  const made = make(parent, "g", { class: "chip" });
  make(made, "rect", { x, y, width, height, rx: 8 });
  return made;
}

// The places of chips in a box, row by row.
function grid(box, columns, step) {
  const gap = 8, wide = (box.width - 36 - gap * (columns - 1)) / columns;
  return (nth) => ({
    left: box.x + 18 + (nth % columns) * (wide + gap), top: box.y + 78 + Math.floor(nth / columns) * step, wide,
  });
}

// Beside a link, in the middle between box and log.
function label(parent, [[x, edge], [, axis]], text) {
  make(parent, "text", { class: "name", x: x + 10, y: edge + Math.sign(axis - edge) * 28 + 4 }, text);
}

function tell(element, what, before) {
  if (since[what]) element.textContent = before + number(since[what]);
}

const line = (points) => `M${points.map((point) => point.join(" ")).join("L")}`;

export function draw(svg, { services, followers, words }, isNarrow, isStill) {
  const plan = (isNarrow ? tall : wide)(services);
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${plan.view.join(" ")}`);
  const chips = {}, kinds = {}, sums = {}, notes = {};
  const following = new Set(Object.values(followers).flat());

  const log = make(svg, "g", { class: "log" });
  const { x, y, width, height, text, axis, upright } = plan.log;
  make(log, "rect", { x, y, width, height, rx: 22 });
  make(log, "path", { class: "stripe", d: line(axis) });
  if (upright) {
    make(log, "text", { transform: `translate(${text[0] + 6} ${text[1]}) rotate(-90)` }, "共享事件日志 shared event log");
  } else {
    make(log, "text", { x: text[0], y: text[1] - 8 }, "共享事件日志");
    make(log, "text", { class: "en", x: text[0], y: text[1] + 26 }, "one shared event log · Kafka, kept for ever");
  }

  for (const service of services) {
    const box = plan.boxes[service.name];
    const group = make(svg, "g", { class: "box", style: `--colour: var(--${service.name})` });
    make(group, "path", { class: "link", d: line(box.out) });
    if (following.has(service.name)) make(group, "path", { class: "link follows", d: line(box.in) });
    if (!isNarrow) label(group, box.out, "发布 publishes");
    if (!isNarrow && following.has(service.name)) label(group, box.in, "跟随 follows");
    make(group, "rect", { class: "card", x: box.x, y: box.y, width: box.width, height: box.height, rx: 14 });
    make(group, "rect", { class: "mark", x: box.x, y: box.y + 20, width: 5, height: 36, rx: 2.5 });
    const right = box.x + box.width - 18;
    make(group, "text", { class: "zh", x: box.x + 20, y: box.y + 38 }, service.zh);
    make(group, "text", { class: "en", x: box.x + 20, y: box.y + 60 }, isNarrow ? service.name : `${service.name} · ${service.says}`);
    sums[service.name] = make(group, "text", { class: "sum", x: right, y: box.y + 36 }, "–");
    notes[service.name] = make(group, "text", { class: "note", x: right, y: box.y + 58 });
    const at = grid(box, box.columns, isNarrow ? 30 : 54);
    service.aggregates.forEach((aggregate, nth) => {
      const { left, top, wide } = at(nth);
      const made = chip(group, left, top, wide, isNarrow ? 26 : 46);
      make(made, "text", { x: left + 8, y: top + 18 }, isNarrow ? words[aggregate].slice(0, 2) : words[aggregate]);
      if (!isNarrow) make(made, "text", { class: "name", x: left + 8, y: top + 37 }, aggregate);
      const count = make(made, "text", { class: "count", x: left + wide - 8, y: top + (isNarrow ? 18 : 37) });
      chips[`${service.name}.${aggregate}`] = { chip: made, count };
    });
    // A service with one kind of thing has room to show what happens to it: the steps of a case.
    if (service.aggregates.length > 1 || isNarrow) continue;
    const below = grid({ ...box, y: box.y + 54 }, 5, 29);
    Object.keys(followers).filter((type) => type.split(".")[1] === service.name).forEach((type, nth) => {
      const { left, top, wide } = below(nth);
      const made = chip(group, left, top, wide, 25);
      make(made, "text", { x: left + 8, y: top + 17 }, words[type.split(".")[3]]);
      kinds[type] = { chip: made, count: make(made, "text", { class: "count", x: left + wide - 8, y: top + 17 }) };
    });
  }
  for (const type of Object.keys(kinds)) tell(kinds[type].count, type, "+");
  for (const { name } of services) tell(notes[name], name, "跟随 followed ");
  const air = make(svg, "g");
  const flying = new Set();
  let frame = 0;

  function light(found) {
    if (!found) return;
    found.chip.classList.add("lit");
    clearTimeout(found.fading);
    found.fading = setTimeout(() => found.chip.classList.remove("lit"), 120);
  }

  function launch(from, to) {
    const out = plan.boxes[from].out;
    const points = to ? [...out, ...[...plan.boxes[to].in].reverse()] : [...out, along(out[1])];
    const dot = make(air, "circle", { class: "dot", r: 6.5, style: `--colour: var(--${from})` });
    flying.add({ dot, points, lengths: lengths(points), began: performance.now(), stays: !to });
    frame ||= requestAnimationFrame(fly);
  }

  // What nobody follows yet is kept as well: it goes a little way along the log and rests there.
  function along([px, py]) {
    return upright ? [px, py + 60] : [px + 120, py];
  }

  function fly(now) {
    frame = 0;
    for (const flight of flying) {
      const part = Math.min(1, (now - flight.began) / FLIGHT);
      const [cx, cy] = point(flight, part * part * (3 - 2 * part));
      flight.dot.setAttribute("cx", cx);
      flight.dot.setAttribute("cy", cy);
      flight.dot.style.opacity = Math.min(1, part * 8, flight.stays ? (1 - part) * 2 : (1 - part) * 12);
      if (part === 1) {
        flight.dot.remove();
        flying.delete(flight);
      }
    }
    if (flying.size) frame = requestAnimationFrame(fly);
  }

  return {
    passed(events) {
      for (const event of events) {
        light(chips[`${event.service}.${event.aggregate}`]);
        light(kinds[event.type]);
        const to = followers[event.type] ?? [];
        for (const counted of [event.type, ...to]) since[counted] = (since[counted] ?? 0) + 1;
        if (kinds[event.type]) tell(kinds[event.type].count, event.type, "+");
        for (const follower of to) tell(notes[follower], follower, "跟随 followed ");
        if (isStill() || document.hidden || !plan.boxes[event.service]) continue;
        for (const follower of to.length ? to : [null]) {
          if (flying.size < IN_FLIGHT) launch(event.service, follower);
        }
      }
    },
    totals(totals) {
      for (const [topic, { count }] of Object.entries(chips)) count.textContent = number(totals[topic] ?? 0);
      for (const { name, aggregates } of services) {
        sums[name].textContent = number(aggregates.reduce((sum, it) => sum + (totals[`${name}.${it}`] ?? 0), 0));
      }
    },
  };
}

function lengths(points) {
  return points.slice(1).map(([x, y], nth) => Math.hypot(x - points[nth][0], y - points[nth][1]));
}

function point({ points, lengths }, part) {
  let left = part * lengths.reduce((sum, it) => sum + it, 0);
  for (const [nth, length] of lengths.entries()) {
    if (left <= length && length > 0) {
      const share = left / length;
      return [0, 1].map((axis) => points[nth][axis] + (points[nth + 1][axis] - points[nth][axis]) * share);
    }
    left -= length;
  }
  return points.at(-1);
}
