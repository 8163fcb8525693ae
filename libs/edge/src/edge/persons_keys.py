"""`POST /keys`: the keys that open personal data, for another service that reads this one's events.

Who asks says for what. The power list says which system may ask, for which purposes, and for each of them whose keys it
gets: a service that writes to officers gets theirs, and no resident's. `events.privacy.client` asks.
"""

from base64 import b64encode
from typing import Annotated

from events.privacy.client import AT_ONCE
from pydantic import BaseModel, ConfigDict, Field

from edge.call import Call
from edge.problems import HttpProblem
from edge.routing import Router

POWER = "keys.read"
"""On the power list, `fields` of its purposes name kinds of things instead: `member` for the keys of `member-…`."""

router = Router(tags=["keys"])

Subject = Annotated[str, Field(min_length=3, max_length=300, pattern=r"^[^\x00-]+-[^\x00]+$")]


class KeysAsked(BaseModel):
    """Whose keys are asked for, and for what."""

    model_config = ConfigDict(extra="forbid")

    subjects: Annotated[list[Subject], Field(min_length=1, max_length=AT_ONCE)] = Field(
        description="Pseudonyms, as sealed values name them", examples=[["member-grid-worker-3"]]
    )
    purpose: Annotated[str, Field(min_length=1, max_length=64)] = Field(
        description="One of the purposes for which the power list gives out keys", examples=["telling"]
    )


class KeysGiven(BaseModel):
    """The keys."""

    keys: dict[str, str | None] = Field(
        description="Of each subject the 32 bytes in Base64; null if they were destroyed, or are not for this purpose"
    )


@router.post("/keys", power=POWER, asks=True, summary="Get the keys of personal data")
async def give(call: Call, asked: KeysAsked) -> KeysGiven:
    """The keys of these subjects, to be held in memory for seconds and never written down. A key that was destroyed
    stays so: what it sealed reads as erased from then on."""
    kinds = call.grant.purposes.get(asked.purpose)
    if kinds is None or call.grant.grids is not None:  # a key opens all there is of somebody, wherever it is
        raise HttpProblem(
            "not-for-this-purpose",
            f"the power list does not give you keys for this purpose: see GET /powers/{POWER} of the registry",
        )
    await call.put_on_record(purpose=asked.purpose)
    wanted = [subject for subject in asked.subjects if subject.partition("-")[0] in kinds]
    found = await call.runtime.personal.keys.obtain(wanted)
    keys = {it: b64encode(key.secret).decode() if (key := found.get(it)) else None for it in asked.subjects}
    return KeysGiven(keys=keys)
