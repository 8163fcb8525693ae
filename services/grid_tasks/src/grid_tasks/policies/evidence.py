"""Evidence goes when its time is over: what no case has within a day, and what belongs to a case with what was written
of it (到期删除). Deleting it is a timer, which is tried again while the store is away."""

from collections.abc import Callable

from contracts.grid_tasks import (
    CaseTextErased,
    EvidenceAttached,
    EvidenceExpected,
    EvidenceForgotten,
    EvidenceRemoved,
    ForgettingCause,
)
from events import Cancel, Commands, Due, Policy, Recorded, Timer
from events.privacy.erasure import forget_all

from grid_tasks.domain.evidence import EVIDENCE, ConfirmRemoval, Forget
from grid_tasks.evidence.cases import forget
from grid_tasks.evidence.storage import Store, StoreAway

UNATTACHED = "unattached"
REMOVE = "remove"


def removing_evidence(store: Callable[[], Store | None]) -> Policy:
    """The policy; the store is asked for when it is needed."""
    policy = Policy("removing_evidence")

    @policy.timer(EvidenceExpected)
    def expected(event: EvidenceExpected) -> Timer:
        return Timer(UNATTACHED, due=event.kept_until)

    @policy.timer(EvidenceAttached)
    def attached(event: EvidenceAttached) -> Cancel:
        return Cancel(UNATTACHED)

    @policy.timer(EvidenceForgotten)
    def forgotten(event: EvidenceForgotten) -> Timer:
        return Timer(REMOVE, due=event.at)

    @policy.due(UNATTACHED)
    async def unattached(commands: Commands, due: Due) -> None:
        await commands.execute(EVIDENCE, due.id, Forget(ForgettingCause.UNATTACHED, commands.clock()))

    @policy.due(REMOVE)
    async def remove(commands: Commands, due: Due) -> None:
        where = store()
        if where is None:
            raise StoreAway("GRID_TASKS_EVIDENCE is not set any more: set it, so that what lies there can be deleted")
        evidence, _ = await commands.load(EVIDENCE, due.id)
        await where.drop_sent(due.id)
        if evidence.kept_sha256:
            await where.drop_kept(due.id, evidence.kept_sha256)
        await commands.execute(EVIDENCE, due.id, ConfirmRemoval(commands.clock()))

    @policy.on(EvidenceRemoved)
    async def removed(commands: Commands, event: Recorded[EvidenceRemoved]) -> None:
        await commands.personal.keys.destroy(event.stream)
        await forget_all(commands.db, event.stream)

    @policy.on(CaseTextErased)
    async def case_erased(commands: Commands, event: Recorded[CaseTextErased]) -> None:
        await forget(commands, event.data.case, event.data.at)

    return policy
