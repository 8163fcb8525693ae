"""Looking for somebody on the disks: what is left of a text in the raw bytes of files, in whatever form."""

import asyncio
import base64
import json
import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote

import asyncpg
from events.testing import eventually


def forms(secret: str) -> Iterator[bytes]:
    """What somebody who looks for it would look for: the text in the encodings and notations that it may stand in."""
    for part in secret.split(" "):
        utf8 = part.encode()
        yield from (utf8, part.encode("utf-16-le"), part.encode("utf-16-be"), part.encode("gb18030"))
        yield from (json.dumps(part).strip('"').encode(), quote(part).encode(), quote(part).lower().encode())
        yield from (utf8.hex().encode(), utf8.hex().upper().encode())
        for shift in range(3):  # base64 of a longer text in which it stands anywhere
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                inner = encode(b"\0" * shift + utf8)[4:-4]
                if len(inner) >= 12:
                    yield inner


def found_in(folder: Path, secret: str) -> list[str]:
    """The files under this folder in which the secret stands in any form."""
    wanted = [form for form in set(forms(secret)) if len(form) > 5]
    found: list[str] = []
    for path in (Path(place) / name for place, _, names in os.walk(folder) for name in names):
        try:
            content = _written(path)
        except OSError:
            continue  # gone meanwhile
        found += [f"{path.relative_to(folder)}: {form!r}" for form in wanted if form in content]
    return found


def _written(path: Path) -> bytes:
    """What a file holds but for its holes, where there are zeros: Kafka's indexes have gigabytes of them."""
    if not path.is_file():
        return b""
    parts: list[bytes] = []
    with path.open("rb") as file:
        size, at = os.fstat(file.fileno()).st_size, 0
        while at < size:
            try:
                begins = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:  # nothing but a hole is left
                break
            at = os.lseek(file.fileno(), begins, os.SEEK_HOLE)
            parts.append(os.pread(file.fileno(), at - begins, begins))
    return b"\0".join(parts)


async def _vacuumed(db: "asyncpg.Connection[asyncpg.Record]") -> bool:
    """Writes the tables of a database anew; whether all that was deleted is gone, which it is not while somebody's
    transaction might see it."""
    kept: list[str] = []

    def noticed(_: object, message: asyncpg.PostgresLogMessage) -> None:
        if found := re.match(r"([1-9]\d*) dead row versions? cannot be removed yet", message.detail or ""):
            kept.append(found[1])

    db.add_log_listener(noticed)
    await db.execute("vacuum (full, verbose)")
    await asyncio.sleep(0)  # what was noticed is told in the loop's next turn
    db.remove_log_listener(noticed)
    return not kept


async def rewritten(administrator: str, *databases: str) -> None:
    """When it returns, what was deleted in these databases is gone from Postgres' tables and from its write-ahead log,
    if that is not recycled. `administrator` is the URL of the superuser's."""
    for url in databases:
        db = await asyncpg.connect(url)
        await eventually(partial(_vacuumed, db), 240)
        await db.close()
    server = await asyncpg.connect(administrator)
    for _ in range(2):
        await server.execute("select pg_switch_wal()")
        await server.execute("checkpoint")
    await server.close()
