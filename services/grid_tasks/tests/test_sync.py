"""Work in the field without a network, over HTTP: what became of each command, and what a phone is told."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from edge.testing import client, in_post, told
from events.runtime import Runtime
from events.testing import eventually
from grid_tasks.read_models.case_board import case_board
from grid_tasks.service import application

from .conftest import Trade, each_table
from .field import BODY, POSTS, RESULT, Station
from .roster import changed, follow
from .trade import GRID, INSTRUCTOR, LEADER, LI, WANG


@pytest.fixture
async def station(runtime: Runtime, trade: Trade) -> AsyncGenerator[Station]:
    await told(runtime.settings.database_url, *(in_post(who, post, GRID) for who, post in POSTS.items()))
    async with client(application, runtime) as http:
        yield Station(http, runtime, trade)


def became(told: dict[str, Any]) -> list[str]:
    return [it["became"] for it in told["commands"]]


# What became of each.


async def test_what_was_done_without_a_network_is_done_once_in_order(station: Station, trade: Trade) -> None:
    phone, case = station.phone(LI), await station.case_of(LI)
    await phone.sync_all()
    start = phone.did("start", case)
    trade.advance(minutes=30)
    batch = (start, phone.did("hand-in", case, RESULT))
    trade.advance(minutes=5)
    told = await phone.sync(*batch)
    assert became(told) == ["done", "done"]
    assert [it["version"] for it in told["commands"]] == [phone.versions[case] - 1, phone.versions[case]]
    assert phone.carries[case]["step"] == "handed_in"
    again = await phone.sync(*batch)
    assert became(again) == ["done", "done"]
    assert [it.get("repeated") for it in again["commands"]] == [True, True]
    history = (await station.get(f"/cases/{case}/history", LI)).json()["items"]
    assert [it["step"] for it in history].count("handed_in") == 1


async def test_a_command_by_its_route_and_by_sync_is_one(station: Station) -> None:
    phone, case = station.phone(LI), await station.case_of(LI)
    command = phone.did("start", case)
    first = await station.post(f"/cases/{case}/start", None, LI, **{"Idempotency-Key": command["id"]})
    assert first.status_code == 200
    told = await phone.sync(command)
    assert (became(told), told["commands"][0]["repeated"]) == (["done"], True)


async def test_a_report_made_offline_is_gone_on_with_by_the_phones_own_id_also_in_a_later_batch(
    station: Station,
) -> None:
    phone = station.phone(LI)
    await phone.sync_all()
    report = phone.did("report", body=BODY)
    told = await phone.sync(report, phone.did("act-at-once", of_report=report["id"]))
    assert became(told) == ["done", "conflict"], "it is there, and it is not urgent"
    made = told["commands"][0]
    assert made["receipt"]
    assert told["commands"][1]["thing"] == made["thing"]
    holder = await station.with_somebody(made["thing"])
    later = station.phone(LI)  # one that never heard what the case's id is
    commands = [later.did("start", of_report=report["id"], id="x1")]
    told = await later.sync(*commands)
    assert (told["commands"][0]["thing"], became(told)) == (
        made["thing"],
        ["done" if holder == LI else "conflict"],
    )
    by_route = await station.post("/cases", BODY, LI, **{"Idempotency-Key": report["id"]})
    assert by_route.json()["case"] == made["thing"]


async def test_what_others_did_meanwhile_is_a_conflict_that_says_how_it_stands(station: Station) -> None:
    phone, case = station.phone(LI), await station.case_of(LI)
    await phone.sync_all()
    commands = [phone.did("start", case), phone.did("hand-in", case, RESULT)]
    await station.do(case, "dispatch", INSTRUCTOR, {"worker": WANG, "why": "李某请假"})
    await station.settled()
    told = await phone.sync(*commands)
    assert became(told) == ["conflict", "waits"]
    conflict = told["commands"][0]
    assert conflict["now"]["worker"] == WANG
    assert "start" in conflict["now"]["possible"]
    assert conflict["now"]["by"]["start"] == "worker"
    assert conflict["title"] == {"zh": "事件已由他人办理", "en": "Somebody else has this case now"}
    assert conflict["problem"]["type"].endswith("/not-your-case")
    assert phone.carries[case]["worker"] == WANG, "it lies in their grid"


async def test_a_failed_step_stops_its_own_case_only(station: Station) -> None:
    phone, one, other = station.phone(LI), await station.case_of(LI), await station.case_of(LI)
    await phone.sync_all()
    told = await phone.sync(
        phone.did("hand-in", one, RESULT),
        phone.did("start", other),
        phone.did("start", one),
        phone.did("hand-in", other, RESULT),
    )
    assert became(told) == ["conflict", "done", "waits", "done"]
    assert told["commands"][0]["now"]["step"] == "dispatched"


async def test_what_is_refused_says_why_and_what_would_be_right(station: Station, trade: Trade) -> None:
    phone, case, other = station.phone(LI), await station.case_of(LI), await station.case_of(LI)
    stranger = station.phone("nobody")
    told = await phone.sync(
        phone.did("start", "no-such-case"),
        phone.did("dance", other),
        phone.did("start", other),
        phone.did("hand-in", case, {"result": "  "}),
        phone.did("report", body=BODY | {"category": "ufo"}),
        phone.did("report", "another", BODY),
        phone.did("start"),
    )
    reasons = [it.get("problem", {}).get("type", "").rpartition("/")[2] for it in told["commands"]]
    assert reasons[0] == "not-found"
    assert became(told)[1:3] == ["refused", "waits"]
    assert "start" in told["commands"][1]["problem"]["possible"]
    assert reasons[3] == "invalid-input"
    assert told["commands"][3]["problem"]["errors"][0]["field"] == "result"
    assert reasons[4] == "not-on-any-duty-list"
    assert became(told)[5:] == ["refused", "refused"]
    assert all(it["title"]["zh"] and it["title"]["en"] for it in told["commands"] if it["became"] != "done")
    assert (await stranger.post()).status_code == 403


async def test_a_version_that_was_seen_counts_with_what_the_batch_itself_did(station: Station) -> None:
    phone, case = station.phone(LI), await station.case_of(LI)
    await phone.sync_all()
    seen = phone.versions[case]
    told = await phone.sync(phone.did("start", case, if_match=seen), phone.did("hand-in", case, RESULT, if_match=seen))
    assert became(told) == ["done", "done"]
    other = await station.case_of(LI)
    await phone.sync_all()
    made = phone.did("start", other, if_match=phone.versions[other])
    await station.do(other, "change-urgency", LEADER, {"urgent": True, "minutes": 60, "reason": "老人独居"})
    told = await phone.sync(made)
    assert became(told) == ["conflict"]
    assert told["commands"][0]["problem"]["type"].endswith("/version-mismatch")


async def test_what_is_refused_in_a_batch_is_on_the_audit_log_as_its_own_act(station: Station) -> None:
    case = await station.case_of(WANG)
    phone = station.phone(LI)
    assert became(await phone.sync(phone.did("start", case))) == ["conflict"]
    found: list[Any] = []

    async def on_record() -> bool:
        found[:] = await station.runtime.db.fetch("select act, reason from audit_v1.entry where actor = $1", LI)
        return bool(found)

    refusals = application_refusals(station.http)
    await refusals.write(everything=True)
    await eventually(on_record)
    assert [tuple(it) for it in found] == [("POST /cases/{case}/start", "not-your-case")]


def application_refusals(http: httpx2.AsyncClient) -> Any:
    return http._transport.app.state.refusals  # type: ignore[attr-defined]


# By which time.


async def test_who_was_in_time_without_a_network_is_in_time(station: Station, trade: Trade) -> None:
    phone, case = station.phone(LI, off=timedelta(days=-400)), await station.case_of(LI)
    await phone.sync_all()
    start = phone.did("start", case)
    trade.advance(minutes=60)
    hand_in = phone.did("hand-in", case, RESULT)
    done_at = trade()
    trade.advance(hours=4)  # the deadline of two hours has passed
    told = await phone.sync(start, hand_in)
    assert became(told) == ["done", "done"]
    assert told["clock_off_seconds"] == -400 * 86400
    assert told["commands"][1]["time"] == "set_right"
    assert told["commands"][1]["time_said"]["zh"]
    assert datetime.fromisoformat(told["commands"][1]["counts_at"]) == done_at
    assert phone.carries[case]["on_time"] is True
    last = (await station.get(f"/cases/{case}/history", LI)).json()["items"][-1]
    assert datetime.fromisoformat(last["done_at"]) == done_at
    assert datetime.fromisoformat(last["at"]) == trade()


@pytest.mark.parametrize(
    ("shift", "why"),
    [
        (timedelta(hours=-6), "before_last_contact"),
        (timedelta(days=-4000), "before_last_contact"),
        (timedelta(hours=1), "in_the_future"),
        (timedelta(days=4000), "in_the_future"),
    ],
)
async def test_a_time_that_cannot_be_is_not_believed_and_told(
    station: Station, trade: Trade, shift: timedelta, why: str
) -> None:
    phone, case = station.phone(LI), await station.case_of(LI)
    start = phone.did("start", case)
    await station.post(f"/cases/{case}/start", None, LI, **{"Idempotency-Key": start["id"]})
    trade.advance(hours=3)
    await phone.sync_all()  # late by an hour, and in contact: who now says that it was done before is not believed
    hand_in = phone.did("hand-in", case, RESULT)
    told = await phone.sync(hand_in | {"at": (trade() + shift).isoformat()})
    assert became(told) == ["done"]
    assert (told["commands"][0]["time"], phone.carries[case]["on_time"]) == (why, False)
    assert told["commands"][0]["time_said"]


async def test_a_phone_that_was_never_in_contact_counts_by_arrival(station: Station, trade: Trade) -> None:
    phone, case = station.phone(LI), await station.case_of(LI)
    told = await phone.sync(phone.did("start", case))
    assert told["commands"][0]["time"] == "no_contact"
    wang = station.phone(WANG)
    wang.since = phone.since  # another's token
    trade.advance(minutes=1)
    told = await wang.sync(wang.did("report", body=BODY))
    assert (told["anew"], told["commands"][0]["time"]) == (True, "no_contact")


# What is new.


async def test_a_phone_is_told_what_is_open_in_its_grid_and_then_only_what_changed(station: Station) -> None:
    mine, others = await station.case_of(LI), await station.case_of(WANG)
    phone = station.phone(LI)
    first = await phone.sync()
    assert first["anew"]
    assert set(phone.carries) == {mine, others}
    assert phone.carries[mine]["description"] == BODY["description"]
    quiet = await phone.sync()
    assert (quiet["anew"], quiet["changed"], quiet["gone"]) == (False, [], [])
    await station.do(others, "start", WANG)
    await station.settled()
    assert [it["case"]["case"] for it in (await phone.sync())["changed"]] == [others]
    assert phone.carries[others] == (await station.get(f"/cases/{others}", LI)).json()


async def test_what_ended_before_a_phone_came_is_not_told(station: Station) -> None:
    ended, open_ = await station.case_of(LI), await station.case_of(LI)
    await station.do(ended, "start", LI)
    await station.do(ended, "hand-in", LI, RESULT)
    await station.do(ended, "verify", LEADER)
    await station.settled()
    phone = station.phone(LI)
    await phone.sync_all()
    assert set(phone.carries) == {open_}


async def test_many_changes_come_in_pages_and_all_arrive(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grid_tasks.api.sync.A_PAGE", 3)
    cases = {await station.case_of(LI) for _ in range(8)}
    phone = station.phone(LI)
    assert (await phone.sync())["more"]
    await station.do(min(cases), "start", LI)  # what changes between pages comes again
    await station.settled()
    await phone.sync_all()
    assert set(phone.carries) == cases
    assert phone.carries[min(cases)]["step"] == "started"


async def test_who_changes_to_another_grid_carries_other_cases(station: Station, runtime: Runtime) -> None:
    theirs = await station.case_of(WANG)
    phone = station.phone(LI)
    await phone.sync_all()
    assert theirs in phone.carries
    moved = changed(LI, "G2")
    async with each_table(runtime) as db:
        await follow(db, moved)

    async def told_anew() -> bool:
        return (await phone.sync())["anew"]

    await eventually(told_anew)
    assert phone.carries == {}


# The morning.


async def test_the_morning_list_has_what_is_to_be_done_by_deadline(station: Station, trade: Trade) -> None:
    late = await station.case_of(LI)
    trade.advance(minutes=100)
    warned, helped = await station.case_of(LI), await station.case_of(WANG)
    await station.do(helped, "ask-help", WANG, {"helpers": [LI], "why": "两人才行"})
    trade.advance(minutes=95)
    today = await station.case_of(LI)
    standing = await station.case_of(LI)
    await station.do(standing, "ask-reporter", LI, {"reason": "几楼"})
    await station.settled()
    await station.runtime.commands.caught_up(case_board)
    answer = await station.get("/my/work", LI)
    items = {it["case"]: it for it in answer.json()["items"]}
    assert next(iter(items)) == late
    assert list(items)[-1] == standing
    assert {case: items[case]["pressing"] for case in (late, warned, today, standing)} == {
        late: "late",
        warned: "warned",
        today: "today",
        standing: "standing",
    }
    assert items[helped]["part"] == "helps"
    assert (items[late]["left_minutes"], items[today]["left_minutes"]) == (-75, 120)
    assert set(items[late]["near"]) == {warned, helped, today, standing}
    assert answer.json()["counts"]["late"] == 1
    known = {"If-None-Match": answer.headers["etag"]}
    trade.advance(minutes=2)
    assert (await station.get("/my/work", LI, **known)).status_code == 304
    await station.do(today, "start", LI)
    await station.settled()
    await station.runtime.commands.caught_up(case_board)
    assert (await station.get("/my/work", LI, **known)).status_code == 200
    assert (await station.get("/my/work", WANG)).json()["items"][0]["case"] == helped


async def test_what_came_back_is_listed_since_yesterday(station: Station, trade: Trade) -> None:
    old, back, longer = [await station.case_of(LI) for _ in "123"]
    for case in (old, back):
        await station.do(case, "start", LI)
        await station.do(case, "hand-in", LI, RESULT)
    await station.do(old, "send-back", LEADER, {"reason": "未告知"})
    trade.advance(days=2)
    await station.do(back, "send-back", LEADER, {"reason": "未告知"})
    await station.do(longer, "ask-time", LI, {"minutes": 60, "reason": "等房东"})
    trade.advance(minutes=1)
    await station.do(longer, "give-time", LEADER, {"minutes": 30})
    await station.settled()
    await station.runtime.commands.caught_up(case_board)
    answer = await station.get("/my/returned", LI)
    assert [(it["case"], it["what"]) for it in answer.json()["items"]] == [(longer, "time_given"), (back, "sent_back")]
    assert (await station.get("/my/returned", LI, **{"If-None-Match": answer.headers["etag"]})).status_code == 304
    assert len((await station.get("/my/returned?days=3", LI)).json()["items"]) == 3
