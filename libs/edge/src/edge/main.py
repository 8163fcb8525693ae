"""The command line of a service: `python -m NAME migrate | api | worker | all | events …`."""

import asyncio
import gc
import getpass
import os
import sys
from collections.abc import Awaitable, Iterable, Sequence
from typing import NoReturn

import asyncpg
import typer
import uvloop
from events.kafka import KafkaError, WrongTopics, ensure_topics
from events.migrate import migrate
from events.operate import OnRecord, operator_cli
from events.privacy.ring import NotARing
from events.privacy.vault import NoVault
from events.runtime import Runtime, open_runtime, vault_of
from events.settings import Settings as KernelSettings

from edge import logs, serving, telemetry
from edge.application import Application, Task
from edge.audit import Audit
from edge.handlers import DATABASE_AWAY
from edge.settings import Settings, SettingsError, read_settings

UNREACHABLE = (
    *DATABASE_AWAY,
    OSError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)


def main(application: Application) -> None:
    """Runs the command that the process's arguments name."""
    command_line(application)()


def command_line(application: Application) -> typer.Typer:
    """The commands of this service."""
    service = application.service
    cli = typer.Typer(
        name=service.name,
        help=application.description or None,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @cli.command("migrate")
    def migrate_() -> None:
        """Creates or upgrades the service's tables and makes its topics; does nothing if they are right."""
        settings = _settings().runtime()
        try:
            asyncio.run(migrate(service, settings))
        except UNREACHABLE as error:
            _fail(f"the database cannot be reached: {' '.join(str(error).split())}")
        try:
            asyncio.run(ensure_topics(service, settings))
        except KafkaError as error:
            _fail(f"the topics cannot be made: Kafka does not answer at {settings.kafka}: {error}")
        except WrongTopics as error:
            _fail(str(error))

    @cli.command()
    def api() -> None:
        """Serves the API."""
        run(application, serves=True)

    @cli.command()
    def worker() -> None:
        """Relays, projects, reacts and minds the timers; serves only health and metrics."""
        run(application, works=True)

    @cli.command("all")
    def all_() -> None:
        """Does both in one process."""
        run(application, serves=True, works=True)

    def kernel_settings() -> KernelSettings:
        return _settings().runtime()

    cli.add_typer(operator_cli(service, kernel_settings, operated(application.audit)), name="events")
    return cli


def operated(audit: Audit | None) -> OnRecord:
    """How an operator's act comes on record: by the login that they have on this machine."""

    async def on_record(runtime: Runtime, act: str, thing: str | None) -> None:
        if audit:
            await audit.record(runtime.commands, act, runtime.clock(), actor=f"operator:{_login()}", thing=thing)

    return on_record


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # in a container nobody may have a name
        return f"uid-{os.getuid()}"


def _settings() -> Settings:
    try:
        return read_settings(Settings)
    except SettingsError as error:
        _fail(str(error))


def _fail(message: str) -> NoReturn:
    sys.stderr.write(f"{message}\n")
    raise SystemExit(1)


def run(
    application: Application, *, serves: bool = False, works: bool = False, beside: Sequence[Task] = ()
) -> NoReturn:
    """A process of the service, until a signal comes or a part of it fails. `beside` is what a command of the service's
    own does; it may execute commands."""
    settings = _settings()
    try:
        listener = serving.listen(settings.http_host, settings.http_port)
    except serving.PortTaken as error:
        _fail(str(error))
    try:
        vault_of(application.service, settings.runtime())
    except (NoVault, NotARing, OSError) as error:
        _fail(f"COMMONGRID_KEYS is not right: {error}" if settings.keys else str(error))
    logs.start(application.service.name)
    telemetry.start(application.service.name, settings.instance)

    async def process() -> int:
        async with open_runtime(application.service, settings.runtime(), settings.trade_clock()) as runtime:
            runtime.measures.observe()
            callers = settings.callers()
            work: dict[str, Awaitable[None]] = {}
            if works:
                work["work"] = runtime.work()
                _add(work, runtime, application.workers)
            if serves or beside:
                work["notify"] = runtime.tell_others()
                _add(work, runtime, beside)
            if serves:
                _add(work, runtime, application.companions)
                if callers.issuer:
                    work["keys"] = callers.issuer.follow()
            app = (
                application.api(runtime, callers, settings.rates(), settings.origins())
                if serves
                else application.operations(runtime)
            )
            if serves and app.state.refusals:
                work["audit"] = app.state.refusals.keep_writing()
            gc.freeze()  # what is there now stays: the collector need not look at it again, nor at each request
            gc.set_threshold(20_000, 20, 20)
            return await serving.run(app, listener, work, proxies=settings.proxies)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        raise SystemExit(runner.run(process()))


def _add(work: dict[str, Awaitable[None]], runtime: Runtime, tasks: Iterable[Task]) -> None:
    """By name: a second one of the same name would put out the first without a word."""
    for each in tasks:
        if each.__name__ in work:
            raise TypeError(f"two things that this process does are called {each.__name__}: give one another name")
        work[each.__name__] = each(runtime)
