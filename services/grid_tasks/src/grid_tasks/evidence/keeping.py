"""From what was uploaded to what is kept."""

import asyncio
from contextlib import suppress

from events import Refused

from grid_tasks.domain.evidence import Evidence, Found
from grid_tasks.domain.evidence_refusals import ArrivedDifferently, NotUploaded
from grid_tasks.evidence.checking import checked
from grid_tasks.evidence.storage import Store, StoreAway, TooMuch


class Keeper:
    """Looks at what was uploaded, one file at a time in this process: a decoded photo is large."""

    def __init__(self) -> None:
        self._one = asyncio.Semaphore(1)

    async def keep(self, store: Store, evidence: Evidence) -> Found:
        """Puts what is to be kept of it where it stays; deletes what was sent, if it is no good. Raises a Refused that
        says what is wrong with it, or StoreAway. Repeated, it does the same again."""
        async with self._one:
            try:
                content = await store.sent(evidence.id, evidence.bytes)
                if content is None:
                    raise NotUploaded
                kept, found = await asyncio.to_thread(
                    checked, content, evidence.media_type, evidence.bytes, evidence.sha256_said
                )
                await store.keep(evidence.id, found.sha256, kept, found.media_type)
                return found
            except TooMuch:
                refused: Refused = ArrivedDifferently()
            except NotUploaded:
                raise
            except Refused as wrong:
                refused = wrong
        with suppress(StoreAway):  # it is deleted within a day in any case
            await store.drop_sent(evidence.id)
        raise refused
