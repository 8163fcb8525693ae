"""What members of the roster do with a case: `domain.moves` says when each move is possible, and whose it is."""

from typing import Annotated

from contracts.grid_tasks import PauseKind, RefusalKind
from edge import Call, Router
from edge.body import Whole
from edge.moments import Moment
from edge.powers import OutOfReach
from edge.redaction import Text
from events.privacy.blind_index import blind_word
from fastapi import Response
from pydantic import Field

from grid_tasks.api.bodies import Body, Evidence, Name, PlaceBody
from grid_tasks.api.powers import Powers
from grid_tasks.api.views import CaseView, public
from grid_tasks.domain.case import CASE, Case
from grid_tasks.domain.commands import (
    ActAtOnce,
    AskHelp,
    AskTime,
    CaseCommand,
    ChangeUrgency,
    Confer,
    CorrectPlace,
    Dispatch,
    DoPaper,
    GiveHelp,
    GiveTime,
    HandIn,
    HandOver,
    Look,
    Merge,
    Pause,
    PlaceIn,
    Refuse,
    RefuseTime,
    Resume,
    Return,
    SendBack,
    Start,
    Verify,
)
from grid_tasks.domain.refusals import NotYourGrid, UnknownGrid
from grid_tasks.evidence.cases import require_kept
from grid_tasks.read_models.calendar_days import calendar
from grid_tasks.read_models.grids import grid_now, known_grid
from grid_tasks.read_models.workers import anybody_of, grid_for, workers

router = Router(prefix="/cases", tags=["cases"])

MOST = 366 * 24 * 60
"""Minutes."""


class PlaceInBody(Body):
    """定位."""

    grid: Name


class CorrectPlaceBody(Body):
    """改正位置."""

    place: PlaceBody
    reason: Text


class RefuseBody(Body):
    """不予受理."""

    kind: RefusalKind = Field(strict=False)
    reason: Text
    whose: Annotated[str, Field(max_length=200)] = Field("", description="Whose it is, if anybody's")


class MergeBody(Body):
    """并案."""

    into: Name = Field(description="The case that goes on for both: GET …/alike")


class DispatchBody(Body):
    """派遣 by a person."""

    worker: Name = Field(description="Who is in post in the case's grid: GET /workers")
    why: Text


class HandOverBody(Body):
    """转派."""

    body: Annotated[str, Field(max_length=200)] = Field(description="The department; empty: back to the grid")
    why: Text


class ReasonBody(Body):
    """Why."""

    reason: Text


class HelpBody(Body):
    """协办、会商."""

    helpers: Annotated[tuple[Name, ...], Field(min_length=1, max_length=20, strict=False)]
    why: Text


class PartBody(Body):
    """What a helper did, or why they cannot."""

    done: bool
    words: Text


class AskTimeBody(Body):
    """申请延期."""

    minutes: Whole = Field(ge=1, le=MOST, description="In the hours of the case's clock")
    reason: Text


class GiveTimeBody(Body):
    """批准延期."""

    minutes: Whole = Field(ge=1, le=MOST)


class UrgencyBody(Body):
    """加急、减缓."""

    urgent: bool
    minutes: Whole = Field(ge=1, le=MOST, description="All the time that is given, from when its clock began")
    reason: Text


class PauseBody(Body):
    """挂起."""

    kind: PauseKind = Field(strict=False)
    reason: Text
    until: Moment | None = Field(None, strict=False, description="When it goes on by itself")


class HandInBody(Body):
    """反馈: what came of it."""

    result: Text
    evidence: Evidence = ()
    paper_later: bool = Field(False, description="Of an urgent case: what the duty list asks for follows (补录)")


class PaperBody(Body):
    """补录."""

    words: Text
    evidence: Evidence = ()


class LookBody(Body):
    """复核."""

    found_done: bool
    reason: Text


async def _change(call: Call, case: str, command: CaseCommand) -> Response:
    """Of a case in the reach of the caller's power. Everybody may know of the others: they are not denied."""
    try:
        return await call.change(CASE, case, command, view=public, grid=_grid)
    except OutOfReach:
        state, _ = await call.commands.load(CASE, case)
        raise NotYourGrid(state.grid, state.step or "", state.moves) from None


def _grid(state: Case) -> str:
    return state.grid


@router.post("/{case}/place", power=Powers.PLACE, response_model=CaseView)
async def place(case: str, body: PlaceInBody, call: Call) -> Response:
    """定位 by the desk: the grid of a case whose place lies in none. It is accepted then."""
    if not await known_grid(call.db, body.grid):
        raise UnknownGrid(body.grid)
    return await call.change(CASE, case, PlaceIn(body.grid, call.require_caller(), call.now), view=public)


@router.post("/{case}/correct-place", power=Powers.DISPATCH, response_model=CaseView)
async def correct_place(case: str, body: CorrectPlaceBody, call: Call) -> Response:
    """改正位置: it is here, and not where its report says. What lies in another grid then is that grid's, and goes to
    somebody there; what lies in none stays where it is."""
    state, _ = await call.commands.load(CASE, case)
    place = body.place.point()
    grid = await grid_now(call.db, place, state.grid)
    command = CorrectPlace(place, grid, call.require_caller(), body.reason, call.now)
    return await _change(call, case, command)


@router.post("/{case}/refuse", power=Powers.DISPATCH, response_model=CaseView)
async def refuse(case: str, body: RefuseBody, call: Call) -> Response:
    """不予受理: with the reason, which the reporter is told, and whose it is."""
    return await _change(call, case, Refuse(call.require_caller(), body.kind, body.reason, body.whose, call.now))


@router.post("/{case}/merge", power=Powers.DISPATCH, response_model=CaseView)
async def merge(case: str, body: MergeBody, call: Call) -> Response:
    """并案: it is the same as another one, which goes on for both."""
    other, _ = await call.commands.load(CASE, body.into)
    ended = other.step is None or other.ended
    return await _change(call, case, Merge(body.into, other.category, ended, call.require_caller(), call.now))


@router.post("/{case}/dispatch", power=Powers.DISPATCH, response_model=CaseView)
async def dispatch(case: str, body: DispatchBody, call: Call) -> Response:
    """派遣 by a leader, until it is handed in: to somebody who may have it, instead of whoever has it."""
    await call.fresh(workers)
    grid = await _grid_of(call, case, body.worker)
    return await _change(call, case, Dispatch(body.worker, grid, body.why, await calendar(call.db), call.now))


async def _grid_of(call: Call, case: str, worker: str) -> str | None:
    """The case's grid, if this member may handle it there."""
    state, _ = await call.commands.load(CASE, case)
    return await grid_for(call.db, worker, state.grid, state.role, state.body)


@router.post("/{case}/hand-over", power=Powers.DISPATCH, response_model=CaseView)
async def hand_over(case: str, body: HandOverBody, call: Call) -> Response:
    """转派: from now on it is another department's, with the whole time; its liaison gets it."""
    await call.fresh(workers)
    present = not body.body or await anybody_of(call.db, body.body)
    by, days = call.require_caller(), await calendar(call.db)
    return await _change(call, case, HandOver(body.body, present, by, body.why, days, call.now))


@router.post("/{case}/return", power=Powers.HANDLE, response_model=CaseView)
async def give_back(case: str, body: ReasonBody, call: Call) -> Response:
    """退回: the worker gives it back to who dispatches, with the reason. The clock runs on."""
    return await _change(call, case, Return(call.require_caller(), body.reason, call.now))


@router.post("/{case}/start", power=Powers.HANDLE, response_model=CaseView)
async def start(case: str, call: Call) -> Response:
    """处置: the worker to whom it was dispatched begins."""
    return await _change(call, case, Start(call.require_caller(), call.now, call.done_at))


@router.post("/{case}/act-at-once", power=Powers.HANDLE, response_model=CaseView)
async def act_at_once(case: str, call: Call) -> Response:
    """紧急处置: who is there takes an urgent case, whoever has it, and begins."""
    await call.fresh(workers)
    worker = call.require_caller()
    grid = await _grid_of(call, case, worker)
    return await _change(call, case, ActAtOnce(worker, grid, await calendar(call.db), call.now, call.done_at))


@router.post("/{case}/ask-help", power=Powers.HANDLE, response_model=CaseView)
async def ask_help(case: str, body: HelpBody, call: Call) -> Response:
    """协办: the worker asks others to do a part of it, and stays answerable for the whole."""
    return await _change(call, case, AskHelp(call.require_caller(), body.helpers, body.why, call.now))


@router.post("/{case}/confer", power=Powers.DISPATCH, response_model=CaseView)
async def confer(case: str, body: HelpBody, call: Call) -> Response:
    """会商: several bodies deal with it together. Who has it leads, and hands in when all have done their part."""
    return await _change(call, case, Confer(call.require_caller(), body.helpers, body.why, call.now))


@router.post("/{case}/give-help", power=Powers.HANDLE, response_model=CaseView)
async def give_help(case: str, body: PartBody, call: Call) -> Response:
    """协办反馈: a helper has done their part, or says why not; wherever they are in post, as they were asked."""
    command = GiveHelp(call.require_caller(), body.done, body.words, call.now, call.done_at)
    return await call.change(CASE, case, command, view=public)


@router.post("/{case}/ask-time", power=Powers.HANDLE, response_model=CaseView)
async def ask_time(case: str, body: AskTimeBody, call: Call) -> Response:
    """申请延期: the worker asks for more time; somebody else decides."""
    return await _change(call, case, AskTime(call.require_caller(), body.minutes, body.reason, call.now))


@router.post("/{case}/give-time", power=Powers.DISPATCH, response_model=CaseView)
async def give_time(case: str, body: GiveTimeBody, call: Call) -> Response:
    """批准延期: of no more than what was asked for."""
    by, days = call.require_caller(), await calendar(call.db)
    return await _change(call, case, GiveTime(by, body.minutes, days, call.now))


@router.post("/{case}/refuse-time", power=Powers.DISPATCH, response_model=CaseView)
async def refuse_time(case: str, body: ReasonBody, call: Call) -> Response:
    """不批准延期: the deadline stays."""
    return await _change(call, case, RefuseTime(call.require_caller(), body.reason, call.now))


@router.post("/{case}/change-urgency", power=Powers.DISPATCH, response_model=CaseView)
async def change_urgency(case: str, body: UrgencyBody, call: Call) -> Response:
    """加急、减缓: another time from where its clock began; what it stood stays."""
    by, days = call.require_caller(), await calendar(call.db)
    return await _change(call, case, ChangeUrgency(by, body.urgent, body.minutes, body.reason, days, call.now))


@router.post("/{case}/ask-reporter", power=Powers.HANDLE, response_model=CaseView)
async def ask_reporter(case: str, body: ReasonBody, call: Call) -> Response:
    """请反映人补充: the clock stands until the reporter has answered."""
    by, kind = call.require_caller(), PauseKind.FOR_THE_REPORTER
    return await _change(call, case, Pause(by, kind, body.reason, None, call.now, by_worker=True))


@router.post("/{case}/pause", power=Powers.DISPATCH, response_model=CaseView)
async def pause(case: str, body: PauseBody, call: Call) -> Response:
    """挂起 by a leader: the clock stands, with the reason."""
    return await _change(call, case, Pause(call.require_caller(), body.kind, body.reason, body.until, call.now))


@router.post("/{case}/resume", power=Powers.DISPATCH, response_model=CaseView)
async def resume(case: str, call: Call) -> Response:
    """解挂: the clock goes on with what was left."""
    return await _change(call, case, Resume(call.require_caller(), await calendar(call.db), call.now))


@router.post("/{case}/hand-in", power=Powers.HANDLE, response_model=CaseView)
async def hand_in(case: str, body: HandInBody, call: Call) -> Response:
    """反馈: the worker says what came of it."""
    await require_kept(call.commands, body.evidence, call.require_caller(), case)
    worker, days = call.require_caller(), await calendar(call.db)
    command = HandIn(worker, body.result, days, call.now, body.evidence, body.paper_later, call.done_at)
    return await _change(call, case, command)


@router.post("/{case}/do-paper", power=Powers.HANDLE, response_model=CaseView)
async def do_paper(case: str, body: PaperBody, call: Call) -> Response:
    """补录: what an urgent case was handed in without."""
    await require_kept(call.commands, body.evidence, call.require_caller(), case)
    worker = call.require_caller()
    return await _change(call, case, DoPaper(worker, body.words, body.evidence, call.now, call.done_at))


@router.post("/{case}/verify", power=Powers.VERIFY, response_model=CaseView)
async def verify(case: str, call: Call) -> Response:
    """核查: a leader who did not handle it finds it done, which closes it (结案) unless chance draws it for a second
    look."""
    verifier, days = call.require_caller(), await calendar(call.db)
    return await _change(call, case, Verify(verifier, days, call.now, await _drawn(call, case)))


async def _drawn(call: Call, case: str) -> bool:
    """Whether chance draws it. Nobody can know before, and everybody with the key can check it after: the draw is a
    keyed hash of the case and its attempt."""
    state, _ = await call.commands.load(CASE, case)
    if not state.look_percent:
        return False
    key = await call.commands.personal.keys.index_key()
    drawn = int.from_bytes(blind_word(key, "second look", f"{case}/{state.attempt}"))
    return drawn % 100 < state.look_percent


@router.post("/{case}/send-back", power=Powers.VERIFY, response_model=CaseView)
async def send_back(case: str, body: ReasonBody, call: Call) -> Response:
    """返工: a leader who did not handle it finds it not done; the worker has it again."""
    verifier, days = call.require_caller(), await calendar(call.db)
    return await _change(call, case, SendBack(verifier, body.reason, days, call.now))


@router.post("/{case}/look", power=Powers.VERIFY, response_model=CaseView)
async def look(case: str, body: LookBody, call: Call) -> Response:
    """复核: a second one, who neither handled nor verified it, looked on the spot: closed, or sent back."""
    by, days = call.require_caller(), await calendar(call.db)
    return await _change(call, case, Look(by, body.found_done, body.reason, days, call.now))
