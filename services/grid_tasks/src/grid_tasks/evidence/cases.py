"""Evidence and the cases it belongs to: what whoever takes a report, or a hand-in, asks for."""

from collections.abc import Collection
from datetime import datetime

from contracts.grid_tasks import ForgettingCause
from events import Commands, Refused

from grid_tasks.domain.evidence import EVIDENCE, Attach, Forget, Stage
from grid_tasks.domain.evidence_refusals import AttachedElsewhere, EvidenceGone, NoSuchEvidence, NotKept, NotUploaded
from grid_tasks.read_models.evidence import evidence as evidence_of_cases
from grid_tasks.read_models.evidence import of_case


async def require_kept(commands: Commands, ids: Collection[str], by: str | None, case: str | None = None) -> None:
    """Raises NotKept unless each of these is kept, belongs to this case or to none, and is for `by` to name: what was
    sent by somebody who was signed in is theirs alone, what was sent by nobody in particular may be named by whoever
    knows its id.

    It asks the store of events, so what was completed a moment ago counts, without a Consistency-Token.
    """
    missing: dict[str, str] = {}
    for id_ in ids:
        state, _ = await commands.load(EVIDENCE, id_)
        if state.stage is None or state.by not in (None, by):
            missing[id_] = NoSuchEvidence.reason
        elif state.stage is Stage.EXPECTED:
            missing[id_] = NotUploaded.reason
        elif state.stage is not Stage.KEPT:
            missing[id_] = EvidenceGone.reason
        elif state.case not in (None, case):
            missing[id_] = AttachedElsewhere.reason
    if missing:
        raise NotKept(missing)


async def attach(commands: Commands, case: str, ids: Collection[str], at: datetime) -> dict[str, Refused]:
    """Lets these belong to the case; may be done twice. Returns those that cannot, and why: two reports at the same
    moment may have named the same."""
    refused: dict[str, Refused] = {}
    for id_ in ids:
        try:
            await commands.execute(EVIDENCE, id_, Attach(case, at))
        except Refused as why:
            refused[id_] = why
    return refused


async def forget(commands: Commands, case: str, at: datetime) -> int:
    """Nobody is to see what belongs to this case any more, and it is deleted; may be done twice. Returns how many."""
    await commands.caught_up(evidence_of_cases, 60)
    found = await of_case(commands.db, case)
    for id_ in found:
        await commands.execute(EVIDENCE, id_, Forget(ForgettingCause.CASE_ERASED, at))
    return len(found)
