"""The operator's commands, as they are typed: what they print, and how they end."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest
from click.testing import Result
from events.migrate import migrate
from events.operate import OnRecord, nowhere, operator_cli
from events.runtime import Runtime
from events.settings import Settings
from events.testing import RING, eventually, running
from front_desk import MATTER, Note, Raise, desk, hall, journal, journalled, tally
from typer.testing import CliRunner

NewDatabase = Callable[..., Awaitable[str]]
DESK = desk(journal(), tally())
SECRET = "只有当事人知道 known to one person only"


@pytest.fixture
async def at_desk(new_database: NewDatabase, kafka_server: str, topic_prefix: str) -> AsyncGenerator[Runtime]:
    """A desk at work, with two matters, one of which has a note that the journal cannot take."""
    async with running(DESK, await new_database("desk"), kafka_server, topic_prefix) as runtime:
        await runtime.commands.execute(MATTER, "well", Raise())
        await runtime.commands.execute(MATTER, "well", Note(SECRET))
        await runtime.commands.execute(MATTER, "ill", Raise())
        await runtime.commands.execute(MATTER, "ill", Note("poison"))
        await runtime.commands.execute(MATTER, "ill", Note(SECRET))
        await eventually(lambda: parked(runtime, 2))
        await eventually(lambda: shows_well(runtime))
        yield runtime


async def parked(runtime: Runtime, count: int) -> bool:
    return await runtime.db.fetchval("select count(*) from log.parked") == count


async def shows_well(runtime: Runtime) -> bool:
    return (await journalled(runtime.db)).get("matter-well") == [1, 2]


async def typed(runtime: Runtime, *words: str, on_record: OnRecord = nowhere) -> Result:
    """Runs the command in a thread, as its own event loop needs one."""
    cli = operator_cli(DESK, lambda: runtime.settings, on_record)
    return await asyncio.to_thread(lambda: CliRunner().invoke(cli, list(words)))  # type: ignore[return-value]


async def test_streams_shows_the_newest_and_the_events_of_one_without_their_content(at_desk: Runtime) -> None:
    newest = await typed(at_desk, "streams")
    assert newest.exit_code == 0
    assert "matter-well" in newest.output
    one = await typed(at_desk, "streams", "matter-well")
    assert "commongrid.desk.matter.noted.v1" in one.output
    assert "当事人" not in one.output
    assert "当事人" in (await typed(at_desk, "streams", "matter-well", "--data")).output


async def test_a_stream_that_is_not_there_is_said_to_be_so(at_desk: Runtime) -> None:
    none = await typed(at_desk, "streams", "matter-none")
    assert none.exit_code == 1
    assert "there is no stream matter-none" in none.output


async def test_lag_shows_every_consumer(at_desk: Runtime) -> None:
    shown = json.loads((await typed(at_desk, "lag", "--json")).output)
    assert {it["consumer"] for it in shown} == {"relay", "journal_v1", "tally_v1"}


async def test_what_is_parked_is_listed_with_its_error_and_without_its_content(at_desk: Runtime) -> None:
    shown = await typed(at_desk, "parked", "list", "--json")
    first, second = json.loads(shown.output)
    assert first["event"] == "matter-ill/2"
    assert "no_poison" in first["error"]
    assert second["event"] == "matter-ill/3"
    assert "behind" in second["error"]
    assert "当事人" not in (await typed(at_desk, "parked", "show", str(second["id"]))).output
    assert "当事人" in (await typed(at_desk, "parked", "show", str(second["id"]), "--data")).output


async def test_a_retry_that_fails_says_so_and_a_drop_clears_the_way(at_desk: Runtime) -> None:
    first, second = json.loads((await typed(at_desk, "parked", "list", "--json")).output)
    failed = await typed(at_desk, "parked", "retry", str(first["id"]))
    assert failed.exit_code == 1
    assert "still not possible" in failed.output
    assert (await typed(at_desk, "parked", "drop", str(first["id"]))).exit_code == 0
    retried = await typed(at_desk, "parked", "retry", str(second["id"]))
    assert retried.exit_code == 0, retried.output
    assert (await journalled(at_desk.db))["matter-ill"] == [1, 3]
    assert await parked(at_desk, 0)


async def test_rebuild_builds_anew_and_takes_over(at_desk: Runtime) -> None:
    await at_desk.db.execute("delete from tally")
    built = await typed(at_desk, "rebuild", "tally")
    assert built.exit_code == 0, built.output
    assert "taken over" in built.output
    assert await at_desk.db.fetchval("select raised from tally where place = 'gate'") == 2


async def test_a_read_model_that_is_not_there_is_answered_with_those_that_are(at_desk: Runtime) -> None:
    unknown = await typed(at_desk, "rebuild", "nothing")
    assert unknown.exit_code == 1
    assert "it has journal, tally" in unknown.output


async def test_keys_are_shown_by_what_they_are_under_and_what_is_to_be_done(at_desk: Runtime) -> None:
    await at_desk.personal.keys.destroy("matter-ill")
    await at_desk.db.execute(
        "insert into log.person_keys (subject, wrapped, kek) values ('somebody', '', 'of-last-year')"
    )
    shown = await typed(at_desk, "keys", "status")
    table = [[cell.strip() for cell in row.strip("│").split("│")] for row in shown.output.splitlines() if "│" in row]
    assert sorted(table) == [["", "1", "destroyed"], ["of-last-year", "1", "rotate"], ["of-tests", "1", "current"]]
    told = json.loads((await typed(at_desk, "keys", "status", "--json")).output)
    assert told == {"current": "of-tests", "keys": {"of-last-year": 1, "of-tests": 1}, "destroyed": 1}


async def test_what_changes_something_or_shows_data_is_on_record_first_and_what_only_looks_is_not(
    at_desk: Runtime,
) -> None:
    first, _ = json.loads((await typed(at_desk, "parked", "list", "--json")).output)
    noted: list[tuple[str, str | None]] = []

    async def on_record(_: Runtime, act: str, stream: str | None) -> None:
        noted.append((act, stream))

    for words in (
        ("lag",),
        ("streams",),
        ("streams", "matter-well"),
        ("streams", "matter-well", "--data"),
        ("verify",),
        ("parked", "list"),
        ("parked", "show", f"{first['id']}"),
        ("parked", "show", f"{first['id']}", "--data"),
        ("parked", "retry", f"{first['id']}"),
        ("parked", "drop", f"{first['id']}"),
        ("rebuild", "tally"),
        ("keys", "status"),
        ("keys", "rotate"),
        ("restore",),
    ):
        await typed(at_desk, *words, on_record=on_record)
    assert noted == [
        ("events streams --data", "matter-well"),
        (f"events parked show {first['id']} --data", None),
        (f"events parked retry {first['id']}", None),
        (f"events parked drop {first['id']}", None),
        ("events rebuild tally", None),
        ("events keys rotate", None),
    ], "and the restore was refused, as the desk is at work"


async def test_what_cannot_be_put_on_record_is_not_done(at_desk: Runtime) -> None:
    async def fails(*_: object) -> None:
        raise ConnectionResetError("the database is away")

    shown = await typed(at_desk, "streams", "matter-well", "--data", on_record=fails)
    assert shown.exit_code == 1
    assert "当事人" not in shown.output


async def test_verify_ends_with_1_where_something_is_wrong(at_desk: Runtime) -> None:
    await eventually(lambda: sent(at_desk))
    assert (await typed(at_desk, "verify")).exit_code == 0
    await at_desk.db.execute("delete from tally")
    wrong = await typed(at_desk, "verify", "--deep")
    assert wrong.exit_code == 1
    assert "tally.tally differ" in wrong.output


@pytest.mark.parametrize("words", [("verify",), ("rebuild", "journal"), ("restore",)])
async def test_what_is_away_is_said_in_one_line(new_database: NewDatabase, words: tuple[str, ...]) -> None:
    """Here the Kafka; and of a database that was never migrated, its first missing table."""
    nothing = Settings(await new_database(), "127.0.0.1:9", keys=RING)
    for service in (desk(), hall(journal())):
        result = await asyncio.to_thread(CliRunner().invoke, operator_cli(service, lambda: nothing), list(words))
        assert result.exit_code == 1
        assert isinstance(result.exception, SystemExit)
        assert len(result.output.splitlines()) == 1
        await migrate(service, nothing)
        if words != ("rebuild", "journal"):
            result = await asyncio.to_thread(CliRunner().invoke, operator_cli(service, lambda: nothing), list(words))
            assert result.exit_code == 1
            assert result.output.startswith("KafkaConnectionError: Unable to bootstrap")
            assert len(result.output.splitlines()) == 1


async def sent(runtime: Runtime) -> bool:
    shown = json.loads((await typed(runtime, "lag", "--json")).output)
    return all(it["events"] == 0 for it in shown)


async def test_restore_is_refused_while_the_service_is_at_work(at_desk: Runtime) -> None:
    refused = await typed(at_desk, "restore")
    assert refused.exit_code == 1
    assert "stop it, then restore" in refused.output
