"""`python -m registry migrate | found | follow | api | worker | all | events …`"""

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from edge import Settings, read_settings
from edge.main import UNREACHABLE, command_line
from edge.settings import SettingsError
from events import Context
from events.kafka import KafkaError
from events.runtime import open_runtime
from events.theirs import NoSuchTopic

from registry.importing.following import follow
from registry.importing.founding import Founded, NotRight, found
from registry.importing.mapping import read_mapping
from registry.importing.sheets import SHEETS
from registry.importing.table import NotATable
from registry.service import application, registry

cli = command_line(application)


@cli.command("found")
def found_(powers: Path, roster: Path) -> None:
    """Enters the first power list (JSON) and the first posts (CSV), once; does nothing if there is a list."""

    async def run() -> None:
        async with open_runtime(registry, read_settings(Settings).runtime()) as runtime:
            await found(runtime.commands, powers, roster)

    try:
        asyncio.run(run())
    except Founded as founded:
        sys.stderr.write(f"{founded}\n")
    except UNREACHABLE as error:
        sys.exit(f"the database or a file cannot be reached: {' '.join(str(error).split())}")
    except (NotRight, NotATable, SettingsError) as error:
        sys.exit(str(error))


@cli.command("follow")
def follow_(
    topic: str,
    register: str,
    mapping: Path,
    group: Annotated[
        str, typer.Option(help="Kafka's consumer group: how far it has come")
    ] = "commongrid-registry-follow",
) -> None:
    """Enters another system's topic into a register, by a mapping (JSON), until it is stopped: each message is a JSON
    object, and counts as told by the mapping's `source`."""

    async def run() -> None:
        settings = read_settings(Settings).runtime()
        async with open_runtime(registry, settings) as runtime:
            commands = runtime.commands.by(Context(actor=f"follow:{topic}"))
            async for tally in follow(commands, settings.kafka, topic, register, mapped, f"{group}-{topic}"):
                sys.stdout.write(f"{json.dumps(asdict(tally))}\n")
                sys.stdout.flush()

    if register not in SHEETS:
        sys.exit(f"there is no such register: {', '.join(SHEETS)}")
    try:
        mapped = read_mapping(mapping.read_bytes())
        asyncio.run(run())
    except KeyboardInterrupt:
        return
    except (*UNREACHABLE, KafkaError) as error:
        sys.exit(f"the database, Kafka or a file cannot be reached: {' '.join(str(error).split())}")
    except (NotATable, NoSuchTopic, SettingsError) as error:
        sys.exit(str(error))


cli()
