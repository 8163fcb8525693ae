"""`python -m registry migrate | found | api | worker | all | events …`"""

import asyncio
import sys
from pathlib import Path

from edge import Settings, read_settings
from edge.main import UNREACHABLE, command_line
from edge.settings import SettingsError
from events.runtime import open_runtime

from registry.importing.founding import Founded, NotRight, found
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


cli()
