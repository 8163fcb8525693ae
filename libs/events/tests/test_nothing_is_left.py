"""Once a person's key is destroyed, nothing on any disk tells of them (promise 8): the raw bytes of Postgres and Kafka,
parked events, stored answers, logs; and read models are built anew without them."""

import os
from collections.abc import AsyncGenerator, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

import asyncpg
import pytest
from broker import messages
from events import Connection, Key, ReadModel, Recorded, parking
from events.privacy.erasure import forget, parked_of
from events.privacy.keys import Keys, KeysAway
from events.privacy.sealing import PersonKey
from events.rebuild import differences, rebuild
from events.runtime import Runtime
from events.testing import eventually, running
from front_desk import MATTER, SCREEN, Matter, Note, Noted, Raise, Show, desk, hall
from local.disks import forms, found_in, rewritten
from local.ladder import Servers
from parked import NewDatabase
from pydantic import BaseModel, HttpUrl, ValidationError, create_model
from structlog.testing import capture_logs

SECRET = "欧阳桂兰 住海塘路 77号 33020319460825121X"


def kept(state: Matter, version: int) -> dict[str, object]:
    return {"notes": list(state.notes)}


notes = ReadModel("notes", "create table note (matter text, note text not null)", personal=True)


@notes.each(Noted)
async def note_down(db: Connection, event: Recorded[Noted]) -> None:
    await db.execute("insert into note values ($1, $2)", event.stream, event.data.note)


picky = ReadModel("picky", "create table picky (matter text)", personal=True)


class Short(BaseModel):
    text: int


@picky.each(Noted)
async def refuse(db: Connection, event: Recorded[Noted]) -> None:
    Short.model_validate({"text": event.data.note})


@pytest.fixture
async def forgetful_wal(postgres_server: str) -> AsyncGenerator[None]:
    """Postgres deletes segments of its write-ahead log that it has no use for. By itself it keeps them, to write over
    them some day: what stood in them would be found."""
    server = await asyncpg.connect(postgres_server)
    await server.execute("alter system set wal_recycle = off")
    await server.execute("select pg_reload_conf()")
    await server.execute("checkpoint")
    yield
    await server.execute("alter system reset wal_recycle")
    await server.execute("select pg_reload_conf()")
    await server.close()


@pytest.fixture
def disk(servers: Servers) -> Path:
    """The folder with all that the servers of this run have: data, logs."""
    folder = Path(os.environ["COMMONGRID_TEST_RUN"].partition(":")[2])
    if not (folder / "postgres").exists() or not (folder / "kafka").exists():
        pytest.skip("the servers of this run are not on this disk")
    return folder


async def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    for nth, form in enumerate(forms(SECRET)):
        (tmp_path / str(nth)).write_bytes(b"x" * nth + form)
    assert {it.partition(":")[0] for it in found_in(tmp_path, SECRET)} >= {"0", "1", "2"}


async def parked_everywhere(here: Runtime, there: Runtime) -> bool:
    assert len(await parking.listed(here.db)) == 2
    assert len(await parking.listed(there.db)) == 2
    return True


@pytest.mark.usefixtures("forgetful_wal")
async def test_after_an_erasure_nothing_of_the_person_is_on_any_disk(
    new_database: NewDatabase, postgres_server: str, kafka_server: str, topic_prefix: str, disk: Path, tmp_path: Path
) -> None:
    """The desk records it, a read model shows it, another one chokes on it, so does the hall, and a command's answer
    repeats it. Then the person is erased, and the read model's handler drops its row."""
    url, other = await new_database("desk"), await new_database("hall")
    with capture_logs() as logs:
        async with (
            running(desk(notes, picky), url, kafka_server, topic_prefix) as here,
            running(hall(picky), other, kafka_server, topic_prefix, foreign_keys={"desk": here.personal.keys}) as there,
        ):
            await here.commands.execute(MATTER, "1", Raise())
            await here.commands.execute(MATTER, "1", Note(SECRET), key=Key("k", SECRET.encode()), view=kept)
            await here.commands.execute(MATTER, "1", Note(f"again {SECRET}"))
            await here.commands.execute(MATTER, "2", Raise())
            await here.commands.execute(MATTER, "2", Note("7"))
            await here.commands.caught_up(notes)
            await eventually(lambda: parked_everywhere(here, there))
            assert await here.db.fetchval("select note from note order by note desc limit 1") == SECRET

            await here.personal.keys.destroy("matter-1")
            for runtime in (here, there):
                parked = await parked_of(runtime.db, ["matter-1"])
                assert {it.raw.stream for it in parked} == {"matter-1"}
                await forget(runtime.db, ["matter-1"], [it.id for it in parked])
            async with here.connection(notes.schema) as db:
                await db.execute("delete from note where matter = 'matter-1'")
        await rewritten(postgres_server, url)
    assert found_in(disk, SECRET) == []
    values = [it.value or b"" for it in await messages(kafka_server, f"{topic_prefix}.desk.matter")]
    (unpacked := tmp_path / "unpacked").write_bytes(b"\n".join(values))  # the broker's are compressed
    assert unpacked.stat().st_size > 300
    assert found_in(tmp_path, SECRET) == []
    assert SECRET.split(" ")[0] not in repr(logs)


async def test_read_models_are_built_anew_without_the_erased_and_equal(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    """There and here: the hall gets its keys from the desk, as it would over HTTP."""
    async with (
        running(desk(notes), await new_database("desk"), kafka_server, topic_prefix) as here,
        running(
            hall(notes),
            await new_database("hall"),
            kafka_server,
            topic_prefix,
            foreign_keys={"desk": here.personal.keys},
        ) as there,
    ):
        for matter in ("1", "2"):
            await here.commands.execute(MATTER, matter, Raise())
            done = await here.commands.execute(MATTER, matter, Note(f"note {matter}"))
            assert done.token
            await there.commands.wait_for(done.token, notes, 30)
        await here.commands.caught_up(notes)
        await here.personal.keys.destroy("matter-1")
        for runtime in (here, there):
            async with runtime.connection(notes.schema) as db:
                await db.execute("update note set note = '' where matter = 'matter-1'")
            assert await differences(runtime, notes) == {}
            await rebuild(runtime, notes)
            rows = await runtime.db.fetch("select matter, note from note order by matter")
            assert [tuple(row) for row in rows] == [("matter-1", ""), ("matter-2", "note 2")]


async def test_a_service_that_has_no_keys_of_another_reads_it_as_erased(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with (
        running(desk(), await new_database("desk"), kafka_server, topic_prefix) as here,
        running(hall(notes), await new_database("hall"), kafka_server, topic_prefix, foreign_keys={}) as there,
    ):
        await here.commands.execute(MATTER, "1", Raise())
        done = await here.commands.execute(MATTER, "1", Note("not for the hall"))
        assert done.token
        await there.commands.wait_for(done.token, notes, 30)
        assert await there.db.fetchval("select note from note") == ""


async def test_who_is_to_see_nobody_reads_all_as_erased_and_asks_for_no_key(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    blind = ReadModel("blind", notes.tables)
    blind.on(Noted)(note_down)  # a handler for one became one for sets
    async with running(desk(), await new_database("desk"), kafka_server, topic_prefix) as here:
        owner = Forgetful(here.personal.keys)
        async with running(
            hall(blind), await new_database("hall"), kafka_server, topic_prefix, foreign_keys={"desk": owner}
        ) as there:
            await here.commands.execute(MATTER, "1", Raise())
            done = await here.commands.execute(MATTER, "1", Note("no concern of theirs"))
            assert done.token
            await there.commands.wait_for(done.token, blind, 30)
            assert await there.db.fetchval("select note from note") == ""
            assert owner.asked == 0


class Forgetful:
    """A source of keys that is away at first."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.asked = 0
        self.away = True

    async def obtain(self, subjects: Collection[str]) -> Mapping[str, PersonKey | None]:
        self.asked += 1
        if self.away:
            raise KeysAway("desk does not answer")
        return await self.keys.obtain(subjects)


async def test_while_the_owner_of_the_keys_is_away_the_follower_waits_and_parks_nothing(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    """What is its own goes on: its commands, its own read models."""
    async with running(desk(), await new_database("desk"), kafka_server, topic_prefix) as here:
        owner = Forgetful(here.personal.keys)
        async with running(
            hall(notes), await new_database("hall"), kafka_server, topic_prefix, foreign_keys={"desk": owner}
        ) as there:
            await here.commands.execute(MATTER, "1", Raise())
            done = await here.commands.execute(MATTER, "1", Note("later"))
            assert done.token
            await eventually(lambda: asked_twice(owner))
            shown = await there.commands.execute(SCREEN, "1", Show("1"))
            assert shown.version == 1
            assert await parking.listed(there.db) == []
            owner.away = False
            await there.commands.wait_for(done.token, notes, 30)
            assert await there.db.fetchval("select note from note") == "later"
            assert await parking.listed(there.db) == []


async def asked_twice(owner: Forgetful) -> bool:
    return owner.asked >= 2


async def test_an_event_that_was_moved_is_parked_and_stops_nothing(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with running(desk(notes), await new_database("desk"), kafka_server, topic_prefix) as here:
        await here.commands.execute(MATTER, "1", Raise())
        await here.commands.execute(MATTER, "1", Note("mine"))
        await here.commands.caught_up(notes)
        await here.db.execute(
            """insert into log.events (incarnation, tx, stream, version, type, data)
               select 1, pg_current_xact_id(), 'matter-2', 1, type, data from log.events where version = 2"""
        )
        await here.commands.execute(MATTER, "3", Raise())
        await here.commands.execute(MATTER, "3", Note("goes on"))
        await here.commands.caught_up(notes)
        [it] = await parking.listed(here.db)
        assert it.raw.id == "matter-2/1"
        assert it.error == "DoesNotOpen: a sealed value was changed, or moved from where it was sealed for"
        rows = await here.db.fetch("select note from note order by matter")
        assert [row[0] for row in rows] == ["mine", "goes on"]


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (create_model("A", numbers=(dict[str, int], ...)), {"numbers": {SECRET: SECRET}}),
        (create_model("B", id=(UUID, ...)), {"id": "欧阳桂兰"}),
        (create_model("C", id=(HttpUrl, ...)), {"id": "http://[欧阳桂兰"}),
        (create_model("D", at=(datetime, ...)), {"at": "欧阳桂兰"}),
        (create_model("E", of=(Literal["a"], ...)), {"of": "欧阳桂兰"}),
    ],
)
def test_what_is_said_of_a_value_that_is_not_allowed_repeats_nothing_of_it(
    model: type[BaseModel], value: object
) -> None:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(value)
    said = parking.describe(refused.value)
    assert said.startswith("ValidationError: ")
    assert not set(said) & set(SECRET.split(" ")[0])
