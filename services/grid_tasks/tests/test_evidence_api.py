"""Photos over HTTP, from the ticket to the download: in a folder, and in a real S3-compatible store."""

import hashlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from contracts.common import Post
from contracts.grid_tasks import EvidenceKept
from edge.testing import client, in_post, told
from events import Refused
from events.runtime import Runtime
from events.testing import eventually
from grid_tasks.domain.case import CASE
from grid_tasks.domain.evidence import EVIDENCE, Stage
from grid_tasks.evidence import cases
from grid_tasks.evidence.configured import by_environment
from grid_tasks.read_models.case_board import case_board
from grid_tasks.read_models.evidence import evidence as kept_evidence
from grid_tasks.read_models.evidence import kept, of_case
from grid_tasks.retention import KEPT, erase_old_texts
from grid_tasks.service import application
from local.versitygw import VersityGateway

from .conftest import Trade
from .pictures import JPEG, PNG, SECRET, photo
from .test_api import POSTS, Desk, assert_problem
from .trade import GRID, LEADER, LI, WANG

pytestmark = pytest.mark.timeout(900)  # the first run on a machine builds the S3 server

PHOTO = photo()
BODY: dict[str, Any] = {"media_type": JPEG, "bytes": len(PHOTO)}


class Hand(Desk):
    """Where people send photos besides."""

    async def send(self, ticket: dict[str, Any], content: bytes) -> httpx2.Response:
        upload = ticket["upload"]
        if upload["url"].startswith("/"):
            return await self.http.put(upload["url"], content=content, headers=upload["headers"])
        async with httpx2.AsyncClient(trust_env=False) as http:
            return await http.put(upload["url"], content=content, headers=upload["headers"])

    async def fetch(self, url: str) -> httpx2.Response:
        if url.startswith("/"):
            return await self.http.get(url)
        async with httpx2.AsyncClient(trust_env=False) as http:
            return await http.get(url)

    async def ticket(self, **changes: Any) -> dict[str, Any]:
        answer = await self.post("/evidence", BODY | changes)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def complete(self, ticket: dict[str, Any], **headers: str) -> httpx2.Response:
        path = f"/evidence/{ticket['evidence']}/complete"
        return await self.post(path, **{"If-Match": "*"} | headers)  # type: ignore[arg-type]

    async def kept(self, content: bytes = PHOTO, media_type: str = JPEG) -> str:
        ticket = await self.ticket(bytes=len(content), media_type=media_type)
        assert (await self.send(ticket, content)).status_code in (200, 204)
        answer = await self.complete(ticket)
        assert answer.status_code == 200, answer.text
        return ticket["evidence"]


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the files lie, whichever store it is."""
    monkeypatch.setenv("COMMONGRID_LOCAL", "true")
    if request.param == "folder":
        where = tmp_path / "evidence"
        monkeypatch.setenv("GRID_TASKS_EVIDENCE", str(where))
    else:
        gateway: VersityGateway = request.getfixturevalue("gateway")
        where = gateway.folder / "evidence"
        monkeypatch.setenv("GRID_TASKS_EVIDENCE", "s3://evidence")
        monkeypatch.setenv("GRID_TASKS_EVIDENCE_ENDPOINT", gateway.url)
        monkeypatch.setenv("GRID_TASKS_EVIDENCE_ACCESS_KEY", gateway.access_key)
        monkeypatch.setenv("GRID_TASKS_EVIDENCE_SECRET_KEY", gateway.secret_key)
    by_environment.cache_clear()
    return where


@pytest.fixture
async def hand(store: Path, runtime: Runtime) -> AsyncGenerator[Hand]:
    await told(runtime.settings.database_url, *(in_post(who, post, GRID) for who, post in POSTS.items()))
    await told(runtime.settings.database_url, in_post("elsewhere", Post.GRID_WORKER, "G2"))
    async with client(application, runtime) as http:
        yield Hand(http)
    by_environment.cache_clear()


def files(store: Path, evidence: str) -> list[str]:
    """What lies there of it."""
    return sorted(str(it.relative_to(store)) for it in store.rglob(f"{evidence}*") if it.is_file())


async def test_a_resident_without_a_token_sends_a_photo_and_it_is_kept_without_its_cameras_notes(
    hand: Hand, runtime: Runtime, store: Path
) -> None:
    ticket = await hand.ticket(sha256=hashlib.sha256(PHOTO).hexdigest())
    assert (await hand.send(ticket, PHOTO)).status_code in (200, 204)
    answer = await hand.complete(ticket)
    assert answer.status_code == 200, answer.text
    view = answer.json()
    assert (view["stage"], view["media_type"], view["position_read"], view["case"]) == ("kept", JPEG, True, None)
    assert "30.87" not in answer.text, "what is answered is kept with the key, so it says not where"
    [lies] = files(store, ticket["evidence"])
    assert lies == f"kept/{ticket['evidence']}-{view['sha256']}"
    content = (store / lies).read_bytes()
    assert SECRET not in content
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (view["sha256"], view["bytes"])
    [_, event] = [it.data for it in await runtime.commands.history(EVIDENCE, ticket["evidence"])]
    assert isinstance(event, EvidenceKept)
    assert event.place_taken
    assert event.place_taken.latitude == pytest.approx(30.8723)
    assert event.sha256_sent == hashlib.sha256(PHOTO).hexdigest()


async def test_where_and_when_it_was_taken_is_sealed_in_the_store_of_events(hand: Hand, runtime: Runtime) -> None:
    evidence = await hand.kept()
    rows = await runtime.db.fetch("select data::text from log.events where stream = $1", f"evidence-{evidence}")
    text = " ".join(row[0] for row in rows)
    assert "image/jpeg" in text
    for secret in ("30.87", "120.09", "2026-11-24T08:58", "WGS-84"):
        assert secret not in text


async def test_completing_again_for_want_of_an_answer_changes_nothing(hand: Hand, runtime: Runtime) -> None:
    ticket = await hand.ticket()
    await hand.send(ticket, PHOTO)
    key = {"Idempotency-Key": "mine"}
    first, again = [await hand.complete(ticket, **key) for _ in range(2)]
    other = await hand.complete(ticket)
    assert first.json() == again.json() == other.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert len(await runtime.commands.history(EVIDENCE, ticket["evidence"])) == 2


async def test_what_was_not_sent_cannot_be_completed_and_can_be_sent_then(hand: Hand) -> None:
    ticket = await hand.ticket()
    problem = assert_problem(await hand.complete(ticket), 409, "not-uploaded-yet")
    assert "message_zh" in problem
    await hand.send(ticket, PHOTO)
    assert (await hand.complete(ticket)).status_code == 200


@pytest.mark.parametrize(
    ("content", "reason"),
    [(PHOTO[:400], "broken-photo"), (photo(PNG), "not-what-was-said"), (b"<script>" * 60, "not-what-was-said")],
)
async def test_a_file_that_is_no_good_is_refused_in_words_deleted_and_may_be_sent_again(
    hand: Hand, store: Path, content: bytes, reason: str
) -> None:
    ticket = await hand.ticket(bytes=len(content))
    assert (await hand.send(ticket, content)).status_code in (200, 204)
    told_in_chinese = await hand.complete(ticket, **{"Accept-Language": "zh-CN"})
    problem = assert_problem(told_in_chinese, 422, reason)
    assert problem["detail"] == problem["message_zh"]
    assert files(store, ticket["evidence"]) == []
    assert_problem(await hand.complete(ticket), 409, "not-uploaded-yet")


async def test_another_file_than_was_announced_is_refused(hand: Hand) -> None:
    ticket = await hand.ticket(sha256="0" * 64)
    await hand.send(ticket, PHOTO)
    assert_problem(await hand.complete(ticket), 422, "arrived-differently")


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"bytes": 20_000_001}, 413, "evidence-too-large"),
        ({"media_type": "image/heic"}, 422, "not-taken-as-evidence"),
        ({"bytes": 0}, 422, "invalid-input"),
        ({"sha256": "x"}, 422, "invalid-input"),
        ({"name": "IMG_0001.jpg"}, 422, "invalid-input"),
    ],
)
async def test_what_could_never_be_taken_gets_no_ticket(
    hand: Hand, change: dict[str, Any], status: int, reason: str
) -> None:
    assert_problem(await hand.post("/evidence", BODY | change), status, reason)


async def test_who_looks_after_the_grid_and_who_holds_the_receipt_see_it_and_nobody_else(
    hand: Hand, runtime: Runtime
) -> None:
    evidence = await hand.kept()
    path = f"/evidence/{evidence}"
    assert_problem(await hand.get(path, LEADER), 404, "not-found")
    case = await hand.dispatched()
    assert await cases.attach(runtime.commands, case["case"], [evidence], runtime.clock()) == {}
    by_member, by_receipt = await hand.get(path, LEADER), await hand.get(path, Receipt=case["receipt"])
    assert (by_member.status_code, by_receipt.status_code) == (200, 200), by_member.text
    assert by_member.json()["place_taken"] == {"longitude": 120.0945, "latitude": 30.8723}
    assert by_member.json()["taken_at"].startswith("2026-11-24")
    assert by_receipt.json()["place_taken"] is by_receipt.json()["taken_at"] is None
    assert "no-store" in by_member.headers["cache-control"]
    for who in (None, "a-citizen", "elsewhere"):
        assert_problem(await hand.get(path, who), 404, "not-found")
    assert_problem(await hand.get(path, Receipt="another"), 403, "not-your-receipt")
    for view in (by_member.json(), by_receipt.json()):
        file = await hand.fetch(view["url"])
        assert file.status_code == 200
        assert hashlib.sha256(file.content).hexdigest() == view["sha256"]
        assert file.headers["content-type"] == JPEG
        assert file.headers["content-disposition"].startswith("attachment; filename=")
        if view["url"].startswith("/"):
            assert file.headers["x-content-type-options"] == "nosniff"
            assert "sandbox" in file.headers["content-security-policy"]


async def test_each_look_of_a_member_is_on_record_and_a_reporters_own_is_not(hand: Hand, runtime: Runtime) -> None:
    evidence, case = await hand.kept(), await hand.dispatched()
    await cases.attach(runtime.commands, case["case"], [evidence], runtime.clock())
    await hand.get(f"/evidence/{evidence}", Receipt=case["receipt"])
    await hand.get(f"/evidence/{evidence}", LEADER)
    rows = await runtime.db.fetch("select data::text from log.events where type like '%audit.done%'")
    assert len(rows) == 1
    assert LEADER in rows[0][0]
    assert f"evidence-{evidence}" in rows[0][0]


@pytest.mark.parametrize("store", ["folder"], indirect=True)
async def test_a_changed_or_used_up_address_says_that_it_is_over(hand: Hand) -> None:
    ticket = await hand.ticket()
    url: str = ticket["upload"]["url"]
    for changed in (url.replace("size=", "size=1"), url[:-1] + ("0" if url[-1] != "0" else "1")):
        assert_problem(await hand.http.put(changed, content=PHOTO), 410, "link-over")
    assert_problem(await hand.http.get(url), 410, "link-over")
    await hand.send(ticket, PHOTO)
    assert (await hand.complete(ticket)).status_code == 200
    assert_problem(await hand.send(ticket, PHOTO), 410, "link-over")


@pytest.mark.parametrize("store", ["folder"], indirect=True)
async def test_a_file_of_fifty_megabytes_is_taken_and_one_of_another_size_is_not(hand: Hand, store: Path) -> None:
    film = b"\0\0\0\x1cftypisom" + bytes(50_000_000 - 12)
    assert await hand.kept(film, "video/mp4")
    ticket = await hand.ticket()
    assert_problem(await hand.send(ticket, PHOTO + b"!"), 422, "arrived-differently")
    assert_problem(await hand.send(ticket, PHOTO[:-1]), 422, "arrived-differently")
    assert files(store, ticket["evidence"]) == []


async def test_a_service_without_a_store_says_so(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRID_TASKS_EVIDENCE", raising=False)
    by_environment.cache_clear()
    async with client(application, runtime) as http:
        answer = await http.post("/evidence", json=BODY, headers={"Idempotency-Key": "k"})
    assert_problem(answer, 409, "no-evidence-here")
    by_environment.cache_clear()


async def test_while_the_store_is_away_that_is_said_and_nothing_is_lost(
    hand: Hand, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = await hand.ticket()
    await hand.send(ticket, PHOTO)
    monkeypatch.setenv("GRID_TASKS_EVIDENCE", "s3://evidence")
    monkeypatch.setenv("GRID_TASKS_EVIDENCE_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("GRID_TASKS_EVIDENCE_ACCESS_KEY", "a")
    monkeypatch.setenv("GRID_TASKS_EVIDENCE_SECRET_KEY", "b")
    by_environment.cache_clear()
    answer = await hand.complete(ticket)
    assert_problem(answer, 503, "evidence-store-away")
    assert answer.headers["retry-after"] == "5"
    assert files(store, ticket["evidence"]) == [f"incoming/{ticket['evidence']}"]


# What whoever takes reports asks for.


async def test_a_report_can_name_what_is_kept_and_nothing_else(hand: Hand, runtime: Runtime) -> None:
    evidence, other = await hand.kept(), await hand.kept()
    only_asked_for = (await hand.ticket())["evidence"]
    await cases.require_kept(runtime.commands, [evidence, other], LI)
    await cases.attach(runtime.commands, "another-case", [other], runtime.clock())
    with pytest.raises(Refused) as raised:
        await cases.require_kept(runtime.commands, [evidence, other, only_asked_for, "made-up"], None, "this-case")
    assert raised.value.details["evidence"] == {
        other: "attached-elsewhere",
        only_asked_for: "not-uploaded-yet",
        "made-up": "not-found",
    }
    await cases.require_kept(runtime.commands, [other], None, "another-case")
    refused = await cases.attach(runtime.commands, "this-case", [evidence, other], runtime.clock())
    assert [why.reason for why in refused.values()] == ["attached-elsewhere"]
    await runtime.commands.caught_up(kept_evidence)
    assert await of_case(runtime.db, "this-case") == [evidence]
    assert await kept(runtime.db, [evidence, other, only_asked_for]) == frozenset()


async def test_what_a_worker_sent_is_theirs_to_complete_and_to_name(hand: Hand, runtime: Runtime) -> None:
    ticket = (await hand.post("/evidence", BODY, LI)).json()
    await hand.send(ticket, PHOTO)
    path, usual = f"/evidence/{ticket['evidence']}/complete", {"If-Match": "*"}
    for who in (None, WANG):
        assert_problem(await hand.post(path, None, who, **usual), 404, "not-found")
        with pytest.raises(Refused):
            await cases.require_kept(runtime.commands, [ticket["evidence"]], who)
    assert (await hand.post(path, None, LI, **usual)).status_code == 200
    await cases.require_kept(runtime.commands, [ticket["evidence"]], LI)
    with pytest.raises(Refused):
        await cases.require_kept(runtime.commands, [ticket["evidence"]], WANG)


# The end.


async def gone(runtime: Runtime, evidence: str) -> bool:
    state, _ = await runtime.commands.load(EVIDENCE, evidence)
    rows = await runtime.db.fetch("select destroyed_at from log.person_keys where subject = $1", f"evidence-{evidence}")
    return state.stage is Stage.REMOVED and all(row[0] for row in rows)


async def test_what_no_case_has_after_a_day_is_deleted_and_what_one_has_stays(
    hand: Hand, runtime: Runtime, trade: Trade, store: Path
) -> None:
    unwanted, wanted = await hand.kept(), await hand.kept()
    never_completed = await hand.ticket()
    await hand.send(never_completed, PHOTO)
    await cases.attach(runtime.commands, "a-case", [wanted], runtime.clock())
    trade.advance(hours=23, minutes=59)
    assert files(store, unwanted)
    trade.advance(minutes=2)
    for evidence in (unwanted, never_completed["evidence"]):
        await eventually(lambda evidence=evidence: gone(runtime, evidence))
        assert files(store, evidence) == []
    assert len(files(store, wanted)) == 1
    assert_problem(await hand.complete(never_completed), 410, "evidence-gone")
    await runtime.commands.caught_up(kept_evidence)
    assert await kept(runtime.db, [unwanted]) == frozenset()


async def test_evidence_goes_with_what_was_written_of_its_case_and_a_link_no_longer_helps(
    hand: Hand, runtime: Runtime, trade: Trade, store: Path
) -> None:
    evidence = await hand.kept()
    case = await hand.closed()
    await cases.attach(runtime.commands, case["case"], [evidence], runtime.clock())
    link = (await hand.get(f"/evidence/{evidence}", LEADER)).json()["url"]
    await runtime.commands.caught_up(case_board)
    trade.advance(days=KEPT.days + 1)
    assert await erase_old_texts(runtime) == 1
    await eventually(lambda: gone(runtime, evidence))
    assert files(store, evidence) == []
    assert (await hand.fetch(link)).status_code in (404, 410)
    assert_problem(await hand.get(f"/evidence/{evidence}", Receipt=case["receipt"]), 410, "evidence-gone")
    assert (await runtime.commands.load(CASE, case["case"]))[0].text_erased
    state, _ = await runtime.commands.load(EVIDENCE, evidence)
    assert (state.place_taken, state.taken_at) == (None, None)


async def test_what_cannot_be_deleted_now_is_deleted_when_the_store_is_back(
    hand: Hand, runtime: Runtime, trade: Trade, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = await hand.kept()
    with monkeypatch.context() as away:
        away.delenv("GRID_TASKS_EVIDENCE")
        by_environment.cache_clear()
        trade.advance(hours=25)

        async def was_tried() -> bool:
            return await runtime.db.fetchval(
                "select attempts from log.timers where stream = $1 and name = 'remove'", f"evidence-{evidence}"
            )

        await eventually(was_tried)
        assert (await runtime.commands.load(EVIDENCE, evidence))[0].stage is Stage.FORGOTTEN
        assert len(files(store, evidence)) == 1
    by_environment.cache_clear()
    await eventually(lambda: gone(runtime, evidence), 30)
    assert files(store, evidence) == []
