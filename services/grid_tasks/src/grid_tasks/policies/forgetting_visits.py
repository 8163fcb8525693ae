"""What was written of a visit is forgotten (到期删除): half a year after its end, or when who was visited is
erased."""

from datetime import timedelta

from contracts.grid_tasks import VisitAnswersErased, VisitCancelled, VisitDone, VisitMovedAway, VisitTurnedAway
from contracts.registry import PersonErased
from contracts.visits import CancelCause
from events import Commands, Due, Policy, Recorded, Timer
from events.privacy.erasure import forget_all

from grid_tasks.domain.visit import VISIT, EraseAnswers
from grid_tasks.policies.dispatching import known
from grid_tasks.policies.visiting import PATIENCE
from grid_tasks.read_models.visit_board import visit_board, visits_of
from grid_tasks.read_models.whereabouts import whereabouts

forgetting_visits = Policy("forgetting_visits")

KEPT = timedelta(days=183)
"""From its end: the registry has what came of it; so long somebody can ask how it was found."""
FORGET = "forget"


def _ended(event: VisitDone | VisitTurnedAway | VisitMovedAway | VisitCancelled) -> Timer:
    return Timer(FORGET, due=event.at + KEPT)


for _end in (VisitDone, VisitTurnedAway, VisitMovedAway, VisitCancelled):
    forgetting_visits.timer(_end)(_ended)


@forgetting_visits.due(FORGET)
async def period_over(commands: Commands, due: Due) -> None:
    await commands.execute(VISIT, due.id, EraseAnswers(commands.clock()))


@forgetting_visits.on(PersonErased)
async def erased(commands: Commands, event: Recorded[PersonErased]) -> None:
    """What is planned after this finds that they are gone: see `visiting`."""
    await known(commands, event, whereabouts, PATIENCE)
    await commands.caught_up(visit_board, PATIENCE)
    for visit in await visits_of(commands.db, event.data.person):
        await commands.execute(VISIT, visit, EraseAnswers(commands.clock(), CancelCause.ERASED))


@forgetting_visits.on(VisitAnswersErased)
async def forgotten(commands: Commands, event: Recorded[VisitAnswersErased]) -> None:
    """May run twice."""
    await commands.personal.keys.destroy(event.stream)
    await forget_all(commands.db, event.stream)
