"""What operators do: look at streams and lag, rebuild, deal with what is parked, verify, restore.

`operator_cli(service, settings)` is the command line `python -m SERVICE events …`. It shows metadata and types;
event data, which may be personal, only with `--data`.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import orjson
import typer
from rich.console import Console
from rich.table import Table

from events import lag, parking, restore, store, verify
from events import rebuild as rebuilding
from events.event import Raw
from events.kafka import KafkaError
from events.policy import Policy
from events.privacy import rotation
from events.privacy.ring import NotARing, new_ring, read_ring
from events.privacy.sealing import DoesNotOpen
from events.privacy.vault import DoesNotUnwrap, NoVault
from events.read_model import ReadModel
from events.runtime import Runtime, open_runtime
from events.service import Service
from events.settings import Settings

console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 240)  # nothing is cut short in a pipe
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
ShowData = Annotated[bool, typer.Option("--data", help="Show event data too. It may be personal: mind who looks on.")]


OnRecord = Callable[[Runtime, str, str | None], Awaitable[None]]
"""Puts an operator's act on record, with the stream that it is about."""


async def nowhere(_: Runtime, __: str, ___: str | None) -> None:
    """Where nobody keeps a record."""


class Unknown(Exception):
    """There is no read model or policy, or no parked event, of that name."""


def operator_cli(service: Service, load_settings: Callable[[], Settings], on_record: OnRecord = nowhere) -> typer.Typer:
    """The operator's commands for one service. What changes something or shows data is put on record before it is done
    (a restore after it: nothing may be appended before)."""
    cli = typer.Typer(no_args_is_help=True, help=f"Look after the event log of {service.name}.", add_completion=False)

    def run(
        work: Callable[[Runtime], Awaitable[int | None]], act: str | None = None, stream: str | None = None
    ) -> None:
        async def main() -> int:
            async with open_runtime(service, load_settings()) as runtime:
                if act:
                    await on_record(runtime, f"events {act}", stream)
                return await work(runtime) or 0

        try:
            code = asyncio.run(main())
        except (
            Unknown,
            restore.StillRunning,
            restore.TwoHistories,
            rebuilding.Behind,
            NoVault,
            NotARing,
            DoesNotOpen,
            DoesNotUnwrap,
            asyncpg.PostgresError,
            KafkaError,
            OSError,
        ) as error:
            console.print(parking.describe(error), style="red", highlight=False, markup=False)
            code = 1
        raise typer.Exit(code)

    @cli.command("streams")
    def _streams(stream: Annotated[str | None, typer.Argument()] = None, data: ShowData = False) -> None:
        """The newest streams, or the events of one."""
        run(
            lambda runtime: show_stream(runtime, stream, data) if stream else show_streams(runtime),
            "streams --data" if stream and data else None,
            stream,
        )

    @cli.command("lag")
    def _lag(as_json: AsJson = False) -> None:
        """How many events each consumer has yet to take, and how old they are."""
        run(lambda runtime: show_lag(runtime, as_json))

    @cli.command("rebuild")
    def _rebuild(read_model: str) -> None:
        """Rebuild a read model beside the live one, and switch when it has caught up."""
        run(lambda runtime: rebuild(runtime, read_model), f"rebuild {read_model}")

    parked = typer.Typer(no_args_is_help=True, help="Events that a consumer could not take.")
    cli.add_typer(parked, name="parked")

    @parked.command("list")
    def _parked(consumer: Annotated[str | None, typer.Argument()] = None, as_json: AsJson = False) -> None:
        """What is parked, oldest first."""
        run(lambda runtime: show_parked(runtime, consumer, as_json))

    @parked.command("show")
    def _show(id: int, data: ShowData = False) -> None:
        """One parked event."""
        run(lambda runtime: show_one_parked(runtime, id, data), f"parked show {id} --data" if data else None)

    @parked.command("retry")
    def _retry(id: int) -> None:
        """Try the stream of a parked event again, in order. Either all of it takes effect or nothing changes."""
        run(lambda runtime: retry(runtime, id), f"parked retry {id}")

    @parked.command("drop")
    def _drop(id: int) -> None:
        """Give one parked event up for this consumer. What is parked behind it stays, to be retried."""
        run(lambda runtime: drop(runtime, id), f"parked drop {id}")

    @cli.command("verify")
    def _verify(
        deep: Annotated[bool, typer.Option(help="Also compare each read model with its rebuild.")] = False,
        without_kafka: Annotated[
            bool, typer.Option(help="Hold the log against the database's own seals, and nothing against the topics.")
        ] = False,
        as_json: AsJson = False,
    ) -> None:
        """Compare store, topics, seals and read models. Exit code 1 and what is wrong, if anything is."""
        run(lambda runtime: show_verified(runtime, deep, not without_kafka, as_json))

    keys = typer.Typer(no_args_is_help=True, help="The keys of the persons whose data this service keeps.")
    cli.add_typer(keys, name="keys")

    @keys.command("ring")
    def _ring(path: Path, name: Annotated[str | None, typer.Option(help="Else the month.")] = None) -> None:
        """Make a key ring, or put one more key on it and make that the current one. Keep a copy where the backups
        of the database are not."""
        make_ring(path, name or f"{datetime.now(UTC):%Y-%m}")

    @keys.command("status")
    def _status(as_json: AsJson = False) -> None:
        """How many persons' keys are under each key-encryption key, and how many were destroyed."""
        run(lambda runtime: show_keys(runtime, as_json))

    @keys.command("rotate")
    def _rotate() -> None:
        """Wrap all persons' keys with the current key-encryption key, while the service works. Safe to interrupt."""
        run(rotate_keys, "keys rotate")

    @cli.command("restore")
    def _restore() -> None:
        """After the database was brought back from a backup: take the missing tail back from the topics."""

        async def restored(runtime: Runtime) -> None:
            await restore_store(runtime)
            await on_record(runtime, "events restore", None)

        run(restored)

    return cli


async def show_streams(runtime: Runtime) -> None:
    """Prints the newest streams."""
    rows = await runtime.db.fetch(
        """select stream, max(version), max(recorded_at) from (
             select stream, version, recorded_at from log.events
             order by incarnation desc, tx desc, position desc limit 1000
           ) as newest group by stream order by max(recorded_at) desc limit 40"""
    )
    table = Table("stream", "version", "last recorded")
    for stream, version, at in rows:
        table.add_row(stream, str(version), at.isoformat(timespec="seconds"))
    console.print(table)


async def show_stream(runtime: Runtime, stream: str, data: bool) -> None:
    """Prints the events of a stream."""
    raws = await store.load(runtime.db, stream)
    if not raws:
        raise Unknown(f"there is no stream {stream}")
    table = Table("version", "type", "recorded", "actor", "position", *(["data"] if data else []))
    for raw in await runtime.personal.open(raws) if data else raws:
        cells = [str(raw.version), raw.type, raw.recorded_at.isoformat(), raw.actor or "", str(raw.position)]
        table.add_row(*cells, *([raw.data.decode()] if data else []))
    console.print(table)


async def show_lag(runtime: Runtime, as_json: bool) -> None:
    """Prints each consumer's lag."""
    lags = await lag.everyones_lag(runtime.db, runtime.service, runtime.settings)
    if as_json:
        _print_json([asdict(it) for it in lags])
        return
    table = Table("consumer", "source", "events", "seconds")
    for it in lags:
        table.add_row(it.consumer, it.source or "own store", str(it.events), f"{it.seconds:.1f}")
    console.print(table)


async def rebuild(runtime: Runtime, name: str) -> None:
    """Rebuilds a read model."""
    read_model = _read_model(runtime, name)
    with console.status(f"rebuilding {name} beside the live one") as status:
        taken = await rebuilding.rebuild(runtime, read_model, lambda n: status.update(f"rebuilding {name}: {n} events"))
    console.print(f"{name} was rebuilt from {taken} events and has taken over.")


async def show_parked(runtime: Runtime, consumer: str | None, as_json: bool) -> None:
    """Prints what is parked."""
    parked = await parking.listed(runtime.db, consumer)
    if as_json:
        _print_json([{"id": it.id, "consumer": it.consumer, "event": it.raw.id, "error": it.error} for it in parked])
        return
    table = Table("id", "consumer", "event", "type", "error", "parked")
    for it in parked:
        table.add_row(
            str(it.id), it.consumer, it.raw.id, it.raw.type, it.error, it.parked_at.isoformat(timespec="seconds")
        )
    console.print(table)


async def show_one_parked(runtime: Runtime, id: int, data: bool) -> None:
    """Prints one parked event."""
    it = await _one_parked(runtime, id)
    opened = next(iter(await runtime.personal.open_each([it.raw]))) if data else it.raw
    shown = it.raw if isinstance(opened, DoesNotOpen) else opened
    _print_json(
        {
            "id": it.id,
            "consumer": it.consumer,
            "source": it.source or "own store",
            "event": it.raw.id,
            "type": it.raw.type,
            "position": str(it.raw.position),
            "recorded_at": it.raw.recorded_at,
            "parked_at": it.parked_at,
            "error": it.error,
            "traceparent": it.raw.traceparent,
        }
        | ({"data": shown.data.decode(errors="replace")} if data else {})
    )


async def retry(runtime: Runtime, id: int) -> int:
    """Tries the stream of a parked event again."""
    it = await _one_parked(runtime, id)
    async with runtime.consumer(_part(runtime, it.consumer)) as consumer:
        try:
            done = await consumer.retry(it.source, it.raw.stream)
        except Exception as error:  # whatever the handler raises: tell the operator
            console.print(f"still not possible: {parking.describe(error)}", highlight=False)
            return 1
    console.print(f"{done} events of {it.raw.stream} have taken effect in {it.consumer}.")
    return 0


async def drop(runtime: Runtime, id: int) -> None:
    """Gives one parked event up."""
    it = await _one_parked(runtime, id)
    async with runtime.connection() as db:
        await parking.remove(db, [it.id])
    console.print(f"{it.raw.id} was dropped for {it.consumer}. Retry what stands behind it, if anything does.")


async def show_verified(runtime: Runtime, deep: bool, kafka: bool, as_json: bool) -> int:
    """Prints what verify finds; 1 if anything is wrong."""
    found = await verify.verify(runtime, deep=deep, kafka=kafka)
    if as_json:
        _print_json(asdict(found))
    else:
        console.print(
            f"{found.stored} events stored, {found.relayed} marked as sent, {found.on_topics} on the topics "
            f"({found.repeats} repeats)"
        )
        if found.sealed_at:
            console.print(f"{found.sealed} events sealed, at last {found.sealed_at.isoformat(timespec='seconds')}")
        else:
            console.print("no event is sealed yet")
        for who, count in found.behind.items():
            if count:
                console.print(f"behind: {who} by {count}")
        for consumer, count in found.parked.items():
            console.print(f"parked: {count} in {consumer}")
        for complaint in found.wrong:
            console.print(f"[red]wrong[/]: {complaint}", highlight=False)
        if not found.wrong:
            console.print("[green]nothing is missing[/]")
    return 1 if found.wrong else 0


async def restore_store(runtime: Runtime) -> None:
    """Takes the tail back from the topics."""
    done = await restore.restore(runtime)
    console.print(f"{done.events} events came back from the topics; the store's incarnation is {done.incarnation} now.")


def make_ring(path: Path, name: str) -> None:
    """Makes a ring, or adds a key to the one that is there."""
    try:
        ring = read_ring(str(path)).with_new(name) if path.exists() else new_ring(name)
    except NotARing as error:
        console.print(str(error), style="red", highlight=False, markup=False)
        raise typer.Exit(1) from None
    ring.save(path)
    console.print(f"{path} has the keys {', '.join(ring.keys)}; new ones are wrapped with {ring.current_id}.")


async def show_keys(runtime: Runtime, as_json: bool) -> None:
    """Prints how many keys are under which key-encryption key."""
    found = await rotation.by_kek(runtime.db)
    current = await runtime.personal.keys.vault.current()
    if as_json:
        destroyed = found.pop(None, 0)
        _print_json({"current": current, "keys": found, "destroyed": destroyed})
        return
    table = Table("key-encryption key", "persons", "")
    for kek, count in found.items():
        table.add_row(kek or "", str(count), "destroyed" if kek is None else "current" if kek == current else "rotate")
    console.print(table)


async def rotate_keys(runtime: Runtime) -> None:
    """Wraps all keys with the current key-encryption key."""
    with console.status("wrapping keys anew") as status:
        done = await rotation.rotate(
            runtime.db, runtime.personal.keys.vault, lambda n: status.update(f"wrapping keys anew: {n}")
        )
    console.print(f"{done} keys were wrapped anew with {await runtime.personal.keys.vault.current()}.")


def _read_model(runtime: Runtime, name: str) -> ReadModel:
    for read_model in runtime.service.read_models:
        if name in (read_model.name, read_model.schema):
            return read_model
    names = ", ".join(read_model.name for read_model in runtime.service.read_models)
    raise Unknown(f"{runtime.service.name} has no read model {name}; it has {names}")


def _part(runtime: Runtime, consumer: str) -> ReadModel | Policy:
    for part in (*runtime.service.read_models, *runtime.service.policies):
        if lag.consumer_name(part) == consumer:
            return part
    raise Unknown(f"{runtime.service.name} has no consumer {consumer} any more: what it parked can only be dropped")


async def _one_parked(runtime: Runtime, id: int) -> parking.Parked:
    for it in await parking.listed(runtime.db, limit=1_000_000):
        if it.id == id:
            return it
    raise Unknown(f"nothing is parked under {id}")


def _print_json(value: Any) -> None:
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=_plain).decode() + "\n")


def _plain(value: object) -> object:
    if isinstance(value, Raw):
        return value.id
    raise TypeError
