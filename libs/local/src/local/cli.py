"""`commongrid`: the command line of the whole system on one machine. `make` only calls it."""

import asyncio
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from local import issuer, state, tokens
from local.errors import NotRunning, Trouble
from local.importing import Imported, ImportFailed, import_folder
from local.playing import StackName, finish, play
from local.ports import free_port
from local.running import run
from local.services import PORTS, REGISTRAR, SERVICES
from local.supervisor import Options, System

app = typer.Typer(
    help="Commongrid on one machine, without Docker.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console(highlight=False)


def port(part: str) -> Any:
    """The option that chooses a part's port."""
    return typer.Option(f"--{part}-port", min=0, max=65535, help=f"The port of {part}; 0 finds a free one.")


Data = Annotated[
    Path, typer.Option("--data", envvar="COMMONGRID_DATA", file_okay=False, help="The folder for data, logs and keys.")
]
HERE, DEMO = Path(".data"), "demo"
COMMUNITY = Path("examples/community")
PostgresPort = Annotated[int | None, port("postgres")]
KafkaPort = Annotated[int | None, port("kafka")]
IssuerPort = Annotated[int, port("issuer")]
RegistryPort = Annotated[int, port("registry")]
GridTasksPort = Annotated[int, port("grid-tasks")]
AssessmentPort = Annotated[int, port("assessment")]
NotificationsPort = Annotated[int, port("notifications")]


@app.command()
def up(
    data: Data = HERE,
    postgres_port: PostgresPort = None,
    kafka_port: KafkaPort = None,
    registry_port: RegistryPort = PORTS["registry"],
    grid_tasks_port: GridTasksPort = PORTS["grid_tasks"],
    assessment_port: AssessmentPort = PORTS["assessment"],
    notifications_port: NotificationsPort = PORTS["notifications"],
    issuer_port: IssuerPort = issuer.PORT,
) -> None:
    """Starts PostgreSQL, Kafka and the four services, and keeps them up until Ctrl-C."""
    services = (registry_port, grid_tasks_port, assessment_port, notifications_port)
    ports = servers_ports(postgres_port, kafka_port, issuer_port) | dict(zip(SERVICES, services, strict=True))
    options = Options(data, ports, say=say)

    async def main() -> int:
        async with System(options) as system:
            console.print(addresses(system))
            console.print("Ctrl-C ends everything; what was written stays in", str(system.data))
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                say("stopping")
        return 0

    raise typer.Exit(run(main()))


@app.command()
def demo(
    data: Data = HERE,
    stack: Annotated[
        StackName, typer.Option(help="Where it runs: on this machine, or in containers.")
    ] = StackName.LOCAL,
    once: Annotated[bool, typer.Option("--once", help="Play the day, check the outcome, and end.")] = False,
    json: Annotated[Path | None, typer.Option("--json", dir_okay=False, help="Write the table as JSON.")] = None,
    seconds: Annotated[float, typer.Option(min=5, help="How long the day takes.")] = 20.0,
    cases: Annotated[int, typer.Option(min=4, help="How many cases are reported.")] = 48,
    seed: Annotated[int, typer.Option(help="What the day's stories are drawn from.")] = 20261123,
    folder: Annotated[Path, typer.Option("--folder", file_okay=False, help="The community's files.")] = COMMUNITY,
) -> None:
    """Plays a working day on the sample community, from nothing, and shows what came of it."""

    async def main() -> int:
        ports = servers_ports() if once else usual_ports()  # nobody opens the addresses of what ends by itself
        options = Options(data / DEMO, ports, say=say)
        summary = await play(options, stack, folder, console, once=once, seconds=seconds, seed=seed, cases=cases)
        return finish(summary, json)

    raise typer.Exit(run(main()))


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="A folder of register files.")],
    data: Data = HERE,
) -> None:
    """Brings register files to the registry that is running. The same files again change nothing."""

    async def main() -> int:
        running = state.read(in_use(data))
        if not running or "registry" not in running.parts:
            raise NotRunning(f"the registry is not running on {data.absolute()}: start the system by make up")
        token = tokens.token(in_use(data) / "keys", REGISTRAR)
        with Progress(console=console) as progress:
            try:
                imported = await import_folder(running.parts["registry"].address, folder, token, progress)
            except ImportFailed as error:
                raise Trouble(str(error)) from None
        console.print(imported_table(imported))
        for it in imported:
            for bad in it.bad:
                console.print(
                    f"{it.register}, line {bad['line']}: {bad['error']}: {bad['message_en']} {bad['message_zh']}"
                )
        return 1 if any(it.bad for it in imported) else 0

    raise typer.Exit(run(main()))


@app.command()
def down(data: Data = HERE) -> None:
    """Ends what runs on the data folder, or what is left of it; a demo too."""
    folders = [data.absolute(), data.absolute() / DEMO]
    ended = [name for folder in folders for name in asyncio.run(state.end(folder))]
    console.print(f"ended: {', '.join(ended)}" if ended else f"nothing is running on {folders[0]}")


@app.command()
def token(
    member: Annotated[str, typer.Argument(metavar="POST", help="Who: a member of the roster, like grid-worker-3.")],
    data: Data = HERE,
) -> None:
    """Prints a bearer token for somebody on the roster, good for 12 hours."""
    with told():
        print(tokens.token(in_use(data) / "keys", member))


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    options_metavar="",
)
def events(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICES)}.")],
    data: Data = HERE,
) -> None:
    """Runs an operator's command of a service that is running: streams, lag, rebuild, parked, restore, verify."""
    with told():
        if service not in SERVICES:
            raise NotRunning(f"there is no service {service}; there are {', '.join(SERVICES)}")
        running = state.read(in_use(data))
        if not running or service not in running.parts:
            raise NotRunning(f"{service} is not running on {data.absolute()}: start the system by make up")
    environment = os.environ | running.parts[service].environment
    os.execve(sys.executable, [sys.executable, "-m", service, "events", *context.args], environment)  # noqa: S606


def in_use(data: Path) -> Path:
    """The folder of the system that runs: the demo's, if only a demo does."""
    demo = data.absolute() / DEMO
    return demo if state.supervised(demo) and not state.supervised(data.absolute()) else data.absolute()


def say(sentence: str) -> None:
    """Tells what is going on."""
    console.print(f"[dim]·[/] {sentence}")


def servers_ports(postgres: int | None = None, kafka: int | None = None, issuer: int = 0) -> dict[str, int]:
    """The servers' ports: as asked, or free ones, which the start prints."""
    return {"postgres": postgres or 0, "kafka": kafka or 0, "issuer": issuer}


def usual_ports() -> dict[str, int]:
    """All ports: the usual ones where these are free, others where not."""
    return servers_ports() | {name: free_port(preferred) for name, preferred in PORTS.items()}


def addresses(system: System) -> Table:
    """What there is to open."""
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("address")
    for name, url in system.urls.items():
        table.add_row(name, f"{url}/docs")
    if url := system.urls.get("assessment"):
        table.add_row("the public board", f"{url}/board.html")
    if url := system.urls.get("notifications"):
        table.add_row("the live event view", f"{url}/live")
    table.add_row("who issues tokens", system.issuer)
    table.add_row("Kafka", system.kafka)
    table.add_row("PostgreSQL", system.database_url("postgres").rpartition("@")[2])
    return table


def imported_table(imported: list[Imported]) -> Table:
    """What became of each file."""
    table = Table("register", "rows", "registered", "changed", "unchanged", "refused")
    for it in imported:
        counts = (it.counts.get(name, 0) for name in ("rows", "registered", "changed", "unchanged", "refused"))
        table.add_row(it.register, *map(str, counts))
    return table


@contextmanager
def told() -> Generator[None]:
    """Turns a Trouble into its sentence and exit code 1."""
    try:
        yield
    except Trouble as trouble:
        sys.stderr.write(f"commongrid: {trouble}\n")
        raise typer.Exit(1) from None
