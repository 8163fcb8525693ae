"""Who gets a notification and what it says, found at the moment it is sent.

Roster, duty list and cases come by different topics, so what is needed may not have arrived yet: it is waited for a
moment, and after that the attempt counts as failed and is made again later.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from contracts.notifications import Channel, NotificationRequested
from events import Database

from notifications.channels.letter import Letter, NotTaken
from notifications.channels.partners import Step
from notifications.domain.notification import REPORTER, by_post
from notifications.read_models.cases import case
from notifications.read_models.categories import title
from notifications.read_models.contacts import member, whoever
from notifications.texts import Facts, text

T = TypeVar("T")

PATIENCE = 2.0
"""Seconds to wait for what another topic should bring."""


class Nobody(Exception):
    """There is nobody to tell, and will not be."""


async def letter_of(db: Database, asked: NotificationRequested) -> Letter:
    """The letter; raises Nobody, or NotTaken if something is not known yet."""
    about = await _known(lambda: case(db, asked.case), "the case is not known here yet")
    category = await _known(lambda: title(db, about.category), "the category is not known here yet")
    if asked.recipient == REPORTER:
        if not about.contact:
            raise Nobody("the reporter left no contact")
        recipient, address = None, about.contact
    else:
        in_post = by_post(asked.recipient)
        if in_post:
            post, grid = in_post
            found = await _known(lambda: whoever(db, post, grid), f"no {post} of {grid} is known here")
        else:
            found = await _known(lambda: member(db, asked.recipient), "the member is not known here yet")
        if found.dismissed:
            raise Nobody("the member has left the roster")
        if asked.channel is Channel.EMAIL and not found.email:
            raise Nobody("their address is erased, or its key is lost")
        recipient, address = found.member, found.email
    facts = Facts(asked.case, category, about.grid, asked.due)
    return Letter(
        notification=asked.notification,
        occasion=asked.occasion,
        member=recipient,
        address=address,
        facts=facts,
        text=text(asked.occasion, facts),
        requested_at=asked.send_at,
    )


async def step_of(db: Database, asked: NotificationRequested) -> Step:
    """What a partner is told; raises NotTaken if the case is not known yet."""
    about = await _known(lambda: case(db, asked.case), "the case is not known here yet")
    assert asked.what is not None  # noqa: S101  # a partner is told of an event
    return Step(asked.notification, asked.what, asked.cause, asked.case, about.category, asked.send_at)


async def _known(find: Callable[[], Awaitable[T | None]], otherwise: str) -> T:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE
    while (found := await find()) is None:
        if loop.time() > deadline:
            raise NotTaken(otherwise)
        await asyncio.sleep(0.05)
    return found
