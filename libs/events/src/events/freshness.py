"""Consistency tokens: who just wrote can read it, in any service (promise 10).

A command answers with a token. Passed on to a query, in the same or in another service, it makes the query wait until
the read model has come as far.
"""

import asyncio
import base64
import binascii
from dataclasses import dataclass

from events.event import Position
from events.partitioning import partition_of
from events.read_model import Database, ReadModel
from events.service import Service


class NotYet(Exception):
    """The read model has not come as far as the token within the time given. Ask again in a moment."""


@dataclass(frozen=True, slots=True)
class Token:
    """What was written: by which service, to which stream, at which position of its store."""

    service: str
    stream: str
    position: Position

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(f"{self.service} {self.stream} {self.position}".encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> "Token":
        """Reads what str() gave; raises ValueError on anything else."""
        try:
            service, stream, position = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().split(" ")
            return cls(service, stream, Position.parse(position))
        except (ValueError, binascii.Error) as error:
            raise ValueError("not a consistency token: pass on, unchanged, what a command answered") from error


async def reached(
    db: Database, service: Service, read_model: ReadModel, token: Token, prefix: str, partitions: int
) -> bool:
    """Whether the read model shows what the token's writer wrote (or does not follow that topic at all)."""
    if token.service == service.name:
        source, partition, follows = "", 0, service.follows_own(read_model)
    else:
        source = f"{prefix}.{token.service}.{token.stream.partition('-')[0]}"
        partition, follows = (
            partition_of(token.stream, partitions),
            source in service.foreign_topics(read_model, prefix),
        )
    return not follows or bool(
        await db.fetchval(
            """select (incarnation, tx, position) >= ($4, $5::xid8, $6) from log.progress
               where consumer = $1 and source = $2 and partition = $3""",
            read_model.schema,
            source,
            partition,
            *token.position,
        )
    )


async def wait_for(
    db: Database, service: Service, read_model: ReadModel, token: Token, prefix: str, partitions: int, seconds: float
) -> None:
    """Waits until `reached`; raises NotYet after `seconds`."""
    pause, deadline = 0.002, asyncio.get_running_loop().time() + seconds
    while not await reached(db, service, read_model, token, prefix, partitions):
        if asyncio.get_running_loop().time() + pause > deadline:
            raise NotYet(f"{read_model.name} has not come as far as this token within {seconds:g} s")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.05)
