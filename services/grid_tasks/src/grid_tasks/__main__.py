"""`python -m grid_tasks migrate | follow | api | worker | all | events …`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from edge.main import command_line, run
from edge.mapping import NotAMapping, read_mapping
from events.runtime import Runtime

from grid_tasks.importing.following import follow
from grid_tasks.importing.messages import Reports
from grid_tasks.service import application

cli = command_line(application)


@cli.command("follow")
def follow_(
    topic: str,
    mapping: Path,
    answers: Annotated[str | None, typer.Option(help="The topic to tell on what became of each message")] = None,
    group: Annotated[
        str, typer.Option(help="Kafka's consumer group: how far it has come")
    ] = "commongrid-grid_tasks-follow",
) -> None:
    """Takes reports from another system's topic, by a mapping (JSON), until it is stopped: each message is a JSON
    object, and counts as passed on by the mapping's `source`. Serves health and metrics meanwhile."""
    try:
        mapped = read_mapping(mapping.read_bytes(), Reports)
    except (OSError, NotAMapping) as error:
        sys.exit(f"{mapping}: {error}")

    async def following(runtime: Runtime) -> None:
        await follow(application, runtime, topic, mapped, f"{group}-{topic}", answers)

    run(application, beside=[following])


cli()
