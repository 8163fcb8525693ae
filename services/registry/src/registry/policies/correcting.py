"""What was found to be wrong of somebody is put right in the register."""

from contextlib import suppress

from contracts.registry import CorrectionAccepted
from events import Commands, Policy, Recorded
from events.privacy.data import Erased

from registry.domain.correction import CORRECTION, corrected
from registry.domain.entry import Register
from registry.domain.person import PERSON
from registry.domain.sources import DECISION

correcting = Policy("correcting")


@correcting.on(CorrectionAccepted)
async def accepted(commands: Commands, event: Recorded[CorrectionAccepted]) -> None:
    """The register says what was asked for."""
    correction, _ = await commands.load(CORRECTION, event.data.correction)
    person, _ = await commands.load(PERSON, event.data.person)
    assert correction.asked is not None  # noqa: S101  # what was accepted was asked for
    with suppress(Erased):  # in the meantime
        facts = corrected(person.known(), correction.asked)
        put_right = Register(facts.model_copy(update={"source": DECISION, "corrects": True, "since": None}))
        await commands.execute(PERSON, event.data.person, put_right)
