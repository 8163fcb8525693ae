"""What happens to a case on the way, in the words of the trade: refused, sent on, helped with, given more time, paused,
taken back, merged, looked at twice, reopened."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from contracts.common import DeadlineClock, Place, Post, Title
from contracts.grid_tasks import (
    CaseAnswered,
    CaseEscalated,
    CaseHandedOver,
    CaseHelpAsked,
    CaseHelpGiven,
    CaseLookAsked,
    CaseLooked,
    CaseMerged,
    CasePaperDone,
    CasePaused,
    CasePlaceCorrected,
    CasePlaced,
    CaseRefused,
    CaseReopened,
    CaseResumed,
    CaseReturned,
    CaseTakenOver,
    CaseTakenUp,
    CaseTextErased,
    CaseTimeAsked,
    CaseTimeGiven,
    CaseTimeRefused,
    CaseUrgencyChanged,
    CaseWarned,
    CaseWithdrawn,
    EscalationCause,
    PauseKind,
    RefusalKind,
    Rung,
)
from events import Event
from grid_tasks.domain.case import CASE, Step
from grid_tasks.domain.commands import (
    ActAtOnce,
    AnswerAsReporter,
    AskHelp,
    AskTime,
    CallOff,
    ChangeUrgency,
    Confer,
    CorrectPlace,
    DoPaper,
    Escalate,
    FollowMap,
    GiveHelp,
    GiveTime,
    HandOver,
    Look,
    Merge,
    Pause,
    Refuse,
    RefuseTime,
    Reopen,
    Resume,
    Return,
    TakeUp,
    Warn,
    Withdraw,
)
from grid_tasks.domain.moves import MOVES, diagram
from grid_tasks.domain.refusals import (
    AlreadyTheirs,
    DecidedByAnother,
    EvidenceMissing,
    NobodyOfThatBody,
    NotAskedToHelp,
    NotInPostHere,
    NotMoreThanAsked,
    NotPossibleNow,
    NotTheSame,
    NotUrgent,
    NotYourCase,
    NotYourReceipt,
    PaperDue,
    PeriodOver,
    VerifiedByAnother,
    WaitsForOthers,
)
from grid_tasks.domain.working import AT_ONCE
from grid_tasks.domain.working_time import Calendar

from .trade import (
    AT_WORK,
    CLOSED,
    DAYS,
    ELEVEN,
    GRID,
    HALF_AN_HOUR,
    HANDED_IN,
    HERE,
    ID,
    INSTRUCTOR,
    LEADER,
    LI,
    LICENCES,
    NINE,
    NOISE,
    NOON,
    ONE,
    RECEIPT,
    TEN,
    TWO,
    TWO_HOURS,
    WANG,
    accept,
    accepted,
    assign,
    case,
    closed,
    dispatched,
    escalate,
    give,
    hand_in,
    handed_in,
    reported,
    send_back,
    sent_back,
    started,
    verified,
    verify,
)

HOUR = timedelta(hours=1)
BUREAU = LICENCES.department.zh


# Not taken on, taken back, merged.


def test_a_leader_refuses_it_with_the_reason_and_whose_it_is() -> None:
    refused = CaseRefused(
        case=ID, category=NOISE.category, grid=GRID, by=LEADER, kind=RefusalKind.ANOTHERS, reason="属城管",
        whose="城管局", at=TEN,
    )  # fmt: skip
    when = case(reported, accepted).when(Refuse(LEADER, RefusalKind.ANOTHERS, "属城管", "城管局", TEN))
    when.then(refused)
    case(reported, accepted, refused).when(assign(LI, None, "least", TEN)).then()
    case(*HANDED_IN).when(Refuse(LEADER, RefusalKind.NOT_THERE, "查无此事", "", NOON)).refused(NotPossibleNow)


def test_its_reporter_takes_it_back_by_the_receipt_until_it_is_handed_in() -> None:
    withdrawn = CaseWithdrawn(case=ID, category=NOISE.category, grid=GRID, at=TEN)
    case(*AT_WORK).when(Withdraw(RECEIPT, TEN)).then(withdrawn)
    case(*AT_WORK).when(Withdraw("guessed", TEN)).refused(NotYourReceipt)
    case(*HANDED_IN).when(Withdraw(RECEIPT, NOON)).refused(NotPossibleNow)
    case(*AT_WORK, withdrawn).when(hand_in(LI, TEN)).refused(NotPossibleNow, "withdrawn")


def test_what_a_rule_reported_is_called_off_until_somebody_has_begun() -> None:
    off = CaseWithdrawn(case=ID, category=NOISE.category, grid=GRID, why="登记已办结", at=TEN)
    for history in ((reported,), (reported, accepted), (reported, accepted, dispatched())):
        case(*history).when(CallOff("登记已办结", TEN)).then(off)
    for history in (AT_WORK, HANDED_IN, (*HANDED_IN, sent_back()), (reported, off)):
        case(*history).when(CallOff("登记已办结", TEN)).then()


def test_it_is_merged_into_another_of_its_category_that_goes_on() -> None:
    merged = CaseMerged(case=ID, category=NOISE.category, grid=GRID, into="c2", by=LEADER, at=TEN)
    case(reported, accepted).when(Merge("c2", NOISE.category, False, LEADER, TEN)).then(merged)
    for wrong in (
        Merge(ID, NOISE.category, False, LEADER, TEN),
        Merge("c2", "fraud_warning", False, LEADER, TEN),
        Merge("c2", NOISE.category, True, LEADER, TEN),
    ):
        case(reported, accepted).when(wrong).refused(NotTheSame)
    case(*AT_WORK).when(Merge("c2", NOISE.category, False, LEADER, TEN)).refused(NotPossibleNow)


MERGED = CaseMerged(case=ID, category=NOISE.category, grid=GRID, into="c2", by=LEADER, at=TEN)
TAKEN_UP = CaseTakenUp(
    case=ID, category=NOISE.category, grid=GRID, into="c2", urgent=False, place=HERE, role=Post.GRID_WORKER, body="",
    skills=(), weight=1, due=NOON + timedelta(minutes=TWO_HOURS), at=NOON,
)  # fmt: skip


@pytest.mark.parametrize("before", [(reported, accepted), (reported, accepted, dispatched())])
def test_it_is_taken_up_again_with_the_whole_time_as_the_other_one_does_not_go_on_for_it(
    before: tuple[Event, ...],
) -> None:
    case(*before, MERGED).when(TakeUp("c2", DAYS, NOON)).then(TAKEN_UP)
    state = CASE.fold((*before, MERGED, TAKEN_UP))
    assert (state.step, state.worker, state.into, state.closed_at) == (Step.ACCEPTED, None, None, None)
    assert (state.due, state.attempt, state.moves) == (TAKEN_UP.due, 1, CASE.fold((reported, accepted)).moves)
    case(*before, MERGED, TAKEN_UP).when(assign(WANG, None, "least", NOON)).then(dispatched(WANG, NOON, "least"))


def test_what_was_merged_before_it_was_accepted_waits_for_that_again() -> None:
    waits = TAKEN_UP.model_copy(update={"due": None})
    case(reported, MERGED).when(TakeUp("c2", DAYS, NOON)).then(waits)
    case(reported, MERGED, waits).when(accept(NOON)).then(
        accepted.model_copy(update={"due": NOON + timedelta(minutes=TWO_HOURS), "at": NOON})
    )


def test_it_is_not_taken_up_where_it_goes_on_is_merged_into_another_or_its_text_is_erased() -> None:
    ended = (reported, accepted, MERGED)
    case(*ended, TAKEN_UP).when(TakeUp("c2", DAYS, NOON)).then()
    case(*ended).when(TakeUp("c3", DAYS, NOON)).then()
    case(*ended, CaseTextErased(case=ID, at=NOON)).when(TakeUp("c2", DAYS, NOON)).then()


# To another: given back, handed over.


def test_the_worker_gives_it_back_and_the_clock_runs_on() -> None:
    returned = CaseReturned(case=ID, grid=GRID, worker=LI, reason="不在我网格", at=TEN)
    case(*AT_WORK).when(Return(LI, "不在我网格", TEN)).then(returned)
    case(*AT_WORK).when(Return(WANG, "不在我网格", TEN)).refused(NotYourCase)
    state = CASE.fold((*AT_WORK, returned))
    assert (state.step, state.worker, state.due) == (Step.ACCEPTED, None, ELEVEN)
    case(*AT_WORK, returned).when(escalate(ELEVEN)).then(
        CaseEscalated(case=ID, grid=GRID, due=ELEVEN, next_at=ELEVEN + 4 * HOUR, at=ELEVEN)
    )


def test_it_is_handed_over_to_a_department_that_has_somebody_here_and_gets_the_whole_time() -> None:
    over = CaseHandedOver(case=ID, grid=GRID, body=BUREAU, by=LEADER, why="涉及证照", due=NOON, at=TEN)
    case(*AT_WORK).when(HandOver(BUREAU, True, LEADER, "涉及证照", DAYS, TEN)).then(over)
    case(*AT_WORK).when(HandOver(BUREAU, False, LEADER, "涉及证照", DAYS, TEN)).refused(NobodyOfThatBody, BUREAU)
    case(*AT_WORK).when(HandOver("", True, LEADER, "退回网格", DAYS, TEN)).refused(AlreadyTheirs)
    case(*AT_WORK, over).when(assign("liaison", None, "least", TEN)).then(dispatched("liaison", TEN, "least"))
    case(*AT_WORK, over).when(HandOver("", True, LEADER, "仍由网格", DAYS, ELEVEN)).then(
        CaseHandedOver(case=ID, grid=GRID, body="", by=LEADER, why="仍由网格", due=ONE, at=ELEVEN)
    )


# Together.

HELP_ASKED = CaseHelpAsked(case=ID, grid=GRID, lead=LI, helpers=(WANG,), why="两人才行", at=TEN)


def test_a_helper_does_a_part_and_the_worker_stays_answerable() -> None:
    case(*AT_WORK).when(AskHelp(LI, (WANG, LI, WANG), "两人才行", TEN)).then(HELP_ASKED)
    case(*AT_WORK, HELP_ASKED).when(AskHelp(LI, (WANG,), "再问", TEN)).then()
    given_ = CaseHelpGiven(case=ID, helper=WANG, done=True, words="已到场", at=ELEVEN)
    case(*AT_WORK, HELP_ASKED).when(GiveHelp(WANG, True, "已到场", ELEVEN)).then(given_)
    case(*AT_WORK, HELP_ASKED, given_).when(GiveHelp(WANG, True, "已到场", ELEVEN)).refused(NotAskedToHelp)
    case(*AT_WORK, HELP_ASKED).when(GiveHelp("chen", True, "已到场", ELEVEN)).refused(NotAskedToHelp)
    case(*AT_WORK, HELP_ASKED).when(hand_in(LI, TEN)).then(handed_in())


def test_who_did_a_part_does_not_verify_the_whole() -> None:
    helped = CaseHelpGiven(case=ID, helper=LEADER, done=True, words="已到场", at=TEN)
    asked = HELP_ASKED.model_copy(update={"helpers": (LEADER,)})
    case(*AT_WORK, asked, helped, handed_in()).when(verify(LEADER, NOON)).refused(VerifiedByAnother)
    could_not = helped.model_copy(update={"done": False})
    case(*AT_WORK, asked, could_not, handed_in()).when(verify(LEADER, NOON)).then(verified(), closed())


def test_in_joint_handling_the_lead_hands_in_when_all_have_done_their_part() -> None:
    joint = HELP_ASKED.model_copy(update={"joint": True, "helpers": (WANG, "liaison"), "why": "联合处置"})
    case(*AT_WORK).when(Confer(LEADER, (WANG, "liaison"), "联合处置", TEN)).then(joint)
    case(*AT_WORK, joint).when(hand_in(LI, TEN)).refused(WaitsForOthers, "liaison, wang")
    parts = [CaseHelpGiven(case=ID, helper=it, done=True, words="毕", at=TEN) for it in (WANG, "liaison")]
    case(*AT_WORK, joint, *parts).when(hand_in(LI, TEN)).then(handed_in())


# More time.

TIME_ASKED = CaseTimeAsked(case=ID, grid=GRID, worker=LI, minutes=60, reason="等房东", at=TEN)


def test_more_time_is_asked_for_by_the_worker_and_given_by_another_up_to_what_was_asked() -> None:
    case(*AT_WORK).when(AskTime(LI, 60, "等房东", TEN)).then(TIME_ASKED)
    longer = CaseTimeGiven(
        case=ID, grid=GRID, worker=LI, by=LEADER, minutes=60, due=NOON, warn_at=NOON - timedelta(minutes=45), at=TEN
    )
    case(*AT_WORK, TIME_ASKED).when(GiveTime(LEADER, 60, DAYS, TEN)).then(longer)
    case(*AT_WORK, TIME_ASKED).when(GiveTime(LEADER, 61, DAYS, TEN)).refused(NotMoreThanAsked, "60")
    case(*AT_WORK, TIME_ASKED).when(GiveTime(LI, 60, DAYS, TEN)).refused(DecidedByAnother)
    case(*AT_WORK).when(GiveTime(LEADER, 60, DAYS, TEN)).refused(NotPossibleNow)
    case(*AT_WORK, TIME_ASKED, longer).when(hand_in(LI, NOON)).then(handed_in(at=NOON))


def test_where_it_is_not_given_the_deadline_stays() -> None:
    no = CaseTimeRefused(case=ID, worker=LI, by=LEADER, reason="可先处置", at=TEN)
    case(*AT_WORK, TIME_ASKED).when(RefuseTime(LEADER, "可先处置", TEN)).then(no)
    assert CASE.fold((*AT_WORK, TIME_ASKED, no)).due == ELEVEN


def test_a_missed_deadline_that_is_moved_can_be_missed_again() -> None:
    told = CaseEscalated(case=ID, grid=GRID, worker=LI, due=ELEVEN, next_at=ELEVEN + 4 * HOUR, at=ELEVEN)
    longer = CaseTimeGiven(case=ID, grid=GRID, worker=LI, by=LEADER, minutes=60, due=NOON, at=ELEVEN)
    late = (*AT_WORK, TIME_ASKED, told, longer)
    case(*late).when(escalate(ELEVEN)).then()
    case(*late).when(escalate(NOON)).then(
        CaseEscalated(case=ID, grid=GRID, worker=LI, due=NOON, next_at=NOON + 4 * HOUR, at=NOON)
    )


# The clock stands.


def paused(kind: PauseKind = PauseKind.FOR_ANOTHER_BODY, by: str = LEADER, until: datetime | None = None) -> CasePaused:
    return CasePaused(case=ID, grid=GRID, worker=LI, by=by, kind=kind, reason="等检测", until=until, at=TEN)


def resumed(at: datetime, by: str = LEADER) -> CaseResumed:
    due = at + HOUR  # an hour was left at ten
    return CaseResumed(case=ID, grid=GRID, worker=LI, by=by, due=due, warn_at=due - HALF_AN_HOUR, at=at)


def test_a_paused_case_goes_to_somebody_else_and_stands_on() -> None:
    over = CaseTakenOver(case=ID, grid=GRID, worker=WANG, why="不再在岗", at=TWO)
    case(*AT_WORK, paused()).when(assign(WANG, LI, "不再在岗", TWO)).then(over)
    case(*AT_WORK, paused()).when(assign(WANG, "chen", "不再在岗", TWO)).then()
    whole = TWO + timedelta(minutes=60 + TWO_HOURS)
    case(*AT_WORK, paused(), over).when(Resume(LEADER, DAYS, TWO + timedelta(hours=1))).then(
        CaseResumed(
            case=ID,
            grid=GRID,
            worker=WANG,
            by=LEADER,
            due=whole,
            warn_at=whole - HALF_AN_HOUR,
            at=TWO + timedelta(hours=1),
        )
    )


def test_a_case_follows_the_map_at_every_step_until_it_ends() -> None:
    over = CasePlaced(case=ID, grid="G2", by="map", at=TEN)
    for history in ((reported,), (reported, accepted), AT_WORK, (*AT_WORK, paused()), HANDED_IN):
        case(*history).when(FollowMap("G2", TEN)).then(over)
    case(*AT_WORK).when(FollowMap(GRID, TEN)).then()
    case(*CLOSED).when(FollowMap("G2", TEN)).then()


def test_a_wrong_pin_is_corrected_and_the_case_is_the_grids_in_which_it_lies_then() -> None:
    there = Place(longitude=120.0951, latitude=30.8731)
    here = CasePlaceCorrected(case=ID, place=there, grid=GRID, by=LEADER, reason="在三号楼", at=TEN)
    elsewhere = here.model_copy(update={"grid": "G2"})
    for history in ((reported, accepted), AT_WORK, (*AT_WORK, paused())):
        case(*history).when(CorrectPlace(there, GRID, LEADER, "在三号楼", TEN)).then(here)
        case(*history).when(CorrectPlace(there, "G2", LEADER, "在三号楼", TEN)).then(
            elsewhere, CasePlaced(case=ID, grid="G2", by=LEADER, at=TEN)
        )
    case(*AT_WORK).when(CorrectPlace(reported.place, GRID, LEADER, "就在这里", TEN)).then()
    case(*HANDED_IN).when(CorrectPlace(there, GRID, LEADER, "在三号楼", NOON)).refused(NotPossibleNow, "handed_in")
    assert CASE.fold((*AT_WORK, here)).place == there


def test_while_it_is_paused_the_clock_stands_and_goes_on_with_what_was_left() -> None:
    case(*AT_WORK).when(Pause(LEADER, PauseKind.FOR_ANOTHER_BODY, "等检测", None, TEN)).then(paused())
    state = CASE.fold((*AT_WORK, paused()))
    assert (state.due, state.reckoned(DAYS).left_minutes) == (None, 60)
    case(*AT_WORK, paused()).when(Resume(LEADER, DAYS, TWO)).then(resumed(TWO))


def test_nothing_is_escalated_or_warned_of_while_it_waits_for_its_reporter() -> None:  # Zammad 3140
    waits = paused(PauseKind.FOR_THE_REPORTER, LI)
    case(*AT_WORK, waits).when(escalate(TWO)).then()
    case(*AT_WORK, waits).when(Warn(TWO)).then()


def test_the_reporters_answer_lets_it_go_on() -> None:
    waits = paused(PauseKind.FOR_THE_REPORTER, LI)
    asks = Pause(LI, PauseKind.FOR_THE_REPORTER, "等检测", None, TEN, by_worker=True)
    case(*AT_WORK).when(asks).then(waits)
    case(*AT_WORK).when(replace(asks, by=WANG)).refused(NotYourCase)
    answered = CaseAnswered(case=ID, worker=LI, words="在三楼", at=TWO)
    case(*AT_WORK, waits).when(AnswerAsReporter(RECEIPT, "在三楼", DAYS, TWO)).then(answered, resumed(TWO, "reporter"))
    case(*AT_WORK, waits).when(AnswerAsReporter("guessed", "在三楼", DAYS, TWO)).refused(NotYourReceipt)


def test_what_the_reporter_adds_unasked_changes_no_step() -> None:
    answered = CaseAnswered(case=ID, worker=LI, words="在三楼", at=TEN)
    case(*AT_WORK).when(AnswerAsReporter(RECEIPT, "在三楼", DAYS, TEN)).then(answered)
    case(*AT_WORK, paused()).when(AnswerAsReporter(RECEIPT, "在三楼", DAYS, TEN)).then(answered)


def test_it_goes_on_by_itself_once_and_a_late_timer_changes_nothing() -> None:
    by_rule = Resume("policy:resuming", DAYS, TWO, by_rule=True)
    case(*AT_WORK, paused(until=TWO)).when(by_rule).then(resumed(TWO, "policy:resuming"))
    case(*AT_WORK, paused(until=TWO), resumed(ONE)).when(by_rule).then()


def test_who_missed_the_deadline_before_it_was_paused_is_not_pressed_again_for_it() -> None:
    told = CaseEscalated(case=ID, grid=GRID, worker=LI, due=ELEVEN, next_at=ELEVEN + 4 * HOUR, at=ELEVEN)
    late = (*AT_WORK, told, paused().model_copy(update={"at": NOON}))
    next_at = ELEVEN + 6 * HOUR  # two hours it stood
    going_on = CaseResumed(
        case=ID, grid=GRID, worker=LI, by=LEADER, due=ELEVEN, warn_at=TEN + HALF_AN_HOUR, next_at=next_at, at=TWO
    )
    case(*late).when(Resume(LEADER, DAYS, TWO)).then(going_on)
    case(*late, going_on).when(escalate(TWO)).then()


def test_a_change_of_urgency_keeps_the_time_that_it_stood() -> None:  # GLPI 6902
    stood = (*AT_WORK, paused(), resumed(TWO))
    changed = CaseUrgencyChanged(
        case=ID, grid=GRID, worker=LI, by=LEADER, urgent=True, minutes=90, reason="老人独居",
        due=TWO + HALF_AN_HOUR, warn_at=TWO + timedelta(minutes=7, seconds=30), at=TWO,
    )  # fmt: skip
    case(*stood).when(ChangeUrgency(LEADER, True, 90, "老人独居", DAYS, TWO)).then(changed)


# The urgent way.

URGENT = reported.model_copy(update={"urgent": True})
TWO_PHOTOS = accepted.model_copy(update={"photos": 2})


def test_who_is_there_takes_an_urgent_case_and_begins() -> None:
    case(URGENT, accepted, dispatched()).when(ActAtOnce(WANG, GRID, DAYS, TEN)).then(
        dispatched(WANG, TEN, AT_ONCE), started(WANG)
    )
    case(URGENT, accepted, dispatched()).when(ActAtOnce(LI, GRID, DAYS, TEN)).then(started())
    case(URGENT, accepted).when(ActAtOnce(WANG, None, DAYS, TEN)).refused(NotInPostHere)
    case(reported, accepted).when(ActAtOnce(WANG, GRID, DAYS, TEN)).refused(NotUrgent)


def test_its_paper_is_done_afterwards_and_before_it_is_verified() -> None:
    begun = (URGENT, TWO_PHOTOS, dispatched(), started())
    later = handed_in().model_copy(update={"paper_due": True})
    case(*begun).when(hand_in(LI, TEN, (), paper_later=True)).then(later)
    case(*begun, later).when(verify(LEADER, NOON)).refused(PaperDue)
    case(*begun, later).when(DoPaper(LI, "经过", ("p1",), NOON)).refused(EvidenceMissing)
    paper = CasePaperDone(case=ID, worker=LI, words="经过", evidence=("p1", "p2"), at=NOON)
    case(*begun, later).when(DoPaper(LI, "经过", ("p1", "p2"), NOON)).then(paper)
    case(*begun, later, paper).when(verify(LEADER, NOON)).then(verified(), closed())


def test_what_the_duty_list_asks_for_comes_with_the_result_of_every_other_case() -> None:
    begun = (reported, TWO_PHOTOS, dispatched(), started())
    case(*begun).when(hand_in(LI, TEN, ("p1",))).refused(EvidenceMissing, "2")
    case(*begun).when(hand_in(LI, TEN, (), paper_later=True)).refused(EvidenceMissing)
    with_photos = handed_in().model_copy(update={"evidence": ("p1", "p2")})
    case(*begun).when(hand_in(LI, TEN, ("p1", "p2"))).then(with_photos)


# A second look, and the reporter's word.

LOOK_ASKED = CaseLookAsked(case=ID, grid=GRID, worker=LI, verifier=LEADER, due=NOON + timedelta(days=3), at=NOON)


def looked(done: bool) -> CaseLooked:
    return CaseLooked(case=ID, grid=GRID, worker=LI, verifier=LEADER, by=INSTRUCTOR, found_done=done, at=ONE)


def test_what_is_drawn_is_closed_only_when_a_second_one_has_looked() -> None:
    case(*HANDED_IN).when(verify(LEADER, NOON, drawn=True)).then(verified(), LOOK_ASKED)
    drawn = (*HANDED_IN, verified(), LOOK_ASKED)
    case(*drawn).when(Look(INSTRUCTOR, True, "属实", DAYS, ONE)).then(looked(True), closed(ONE))
    for who in (LI, LEADER):
        case(*drawn).when(Look(who, True, "属实", DAYS, ONE)).refused(VerifiedByAnother)


def test_what_the_second_one_does_not_find_done_goes_back() -> None:
    back = sent_back(ONE).model_copy(update={"verifier": INSTRUCTOR, "reason": "仍有噪声"})
    case(*HANDED_IN, verified(), LOOK_ASKED).when(Look(INSTRUCTOR, False, "仍有噪声", DAYS, ONE)).then(
        looked(False), back
    )


def test_who_began_it_or_is_still_to_do_a_part_verifies_nothing_of_it() -> None:
    by_the_leader = dispatched(LEADER), started(LEADER)
    began = (reported, accepted, *by_the_leader, dispatched(LI, TEN), started(LI, TEN), handed_in())
    case(*began).when(verify(LEADER, NOON)).refused(VerifiedByAnother)
    case(*began).when(verify(INSTRUCTOR, NOON)).then(verified(verifier=INSTRUCTOR), closed())
    asked = CaseHelpAsked(case=ID, grid=GRID, lead=LI, helpers=(LEADER,), why="一起劝", at=TEN)
    case(*AT_WORK, asked, handed_in()).when(verify(LEADER, NOON)).refused(VerifiedByAnother)
    did = CaseHelpGiven(case=ID, helper=LEADER, done=True, words="已到场", at=ELEVEN)
    case(*AT_WORK, asked, handed_in()).when(GiveHelp(LEADER, True, "已到场", ELEVEN)).then(did)
    case(*AT_WORK, asked, handed_in(), did).when(verify(LEADER, NOON)).refused(VerifiedByAnother)


def test_what_one_was_given_besides_is_not_the_next_ones() -> None:
    days = CaseTimeGiven(case=ID, grid=GRID, worker=LI, by=LEADER, minutes=6000, due=ELEVEN + 100 * HOUR, at=TEN)
    asked = CaseTimeAsked(case=ID, grid=GRID, worker=LI, minutes=6000, reason="等房东", at=TEN)
    longer = (*AT_WORK, asked, days)
    case(*longer).when(give(WANG, at=TEN)).then(dispatched(WANG, TEN, "他在附近"))
    case(*longer, handed_in(at=ONE)).when(send_back(LEADER, "反映人未获告知", TWO)).then(sent_back(TWO))
    assert CASE.fold(longer).reckoned(DAYS).due == ELEVEN + 100 * HOUR


def test_its_reporter_reopens_it_within_the_period_and_somebody_has_it_again() -> None:
    reopened = CaseReopened(
        case=ID, category=NOISE.category, grid=GRID, worker=LI, closed_at=NOON, on_time=True,
        first_attempt=True, reason="又响了", place=reported.place,
        due=TWO + 2 * HOUR, at=TWO,
    )  # fmt: skip
    case(*CLOSED).when(Reopen(RECEIPT, "又响了", DAYS, TWO)).then(reopened)
    case(*CLOSED).when(Reopen("guessed", "又响了", DAYS, TWO)).refused(NotYourReceipt)
    case(*CLOSED).when(Reopen(RECEIPT, "又响了", DAYS, NOON + timedelta(days=15, seconds=1))).refused(PeriodOver)
    state = CASE.fold((*CLOSED, reopened))
    assert (state.step, state.worker, state.attempt) == (Step.ACCEPTED, None, 2)
    again = (*CLOSED, reopened, dispatched(WANG, TWO), started(WANG, TWO), handed_in(WANG, TWO, attempt=2))
    case(*again).when(verify(LI, TWO)).refused(VerifiedByAnother)


# Handed in, and nobody says whether it is done.


def test_who_is_to_verify_has_a_working_day_then_the_leader_is_told_and_then_who_is_higher() -> None:
    wednesday = TEN + timedelta(days=1)
    half_past_three = wednesday + timedelta(hours=5, minutes=30)  # 240 minutes of work later
    case(*HANDED_IN).when(escalate(wednesday - timedelta(seconds=1))).then()
    told = CaseEscalated(
        case=ID, grid=GRID, due=wednesday, cause=EscalationCause.UNCHECKED, next_at=half_past_three, at=wednesday
    )
    case(*HANDED_IN).when(escalate(wednesday)).then(told)
    case(*HANDED_IN, told).when(escalate(wednesday)).then()
    [higher] = CASE.decide(CASE.fold((*HANDED_IN, told)), escalate(half_past_three))
    assert isinstance(higher, CaseEscalated)
    assert (higher.rung, higher.worker) == (Rung.INSTRUCTOR, None), "it is not the worker who is late"


def test_a_missed_deadline_of_the_work_does_not_keep_that_of_the_check_from_being_told() -> None:
    late = CaseEscalated(case=ID, grid=GRID, worker=LI, due=ELEVEN, rung=Rung.STREET, at=ELEVEN + 48 * HOUR)
    handed = handed_in(at=TEN + 50 * HOUR, on_time=False)
    assert handed.check_by
    [told] = CASE.decide(CASE.fold((*AT_WORK, late, handed)), escalate(handed.check_by))
    assert isinstance(told, CaseEscalated)
    assert (told.rung, told.due, told.cause) == (Rung.LEADER, handed.check_by, EscalationCause.UNCHECKED)


def test_a_second_look_that_nobody_takes_is_told_after_three_working_days() -> None:
    drawn = (*HANDED_IN, verified(), LOOK_ASKED)
    case(*drawn).when(escalate(LOOK_ASKED.due - HOUR)).then()
    [told] = CASE.decide(CASE.fold(drawn), escalate(LOOK_ASKED.due))
    assert isinstance(told, CaseEscalated)
    assert (told.rung, told.due, told.cause) == (Rung.LEADER, LOOK_ASKED.due, EscalationCause.UNCHECKED)


def test_what_was_handed_in_before_there_was_such_a_limit_is_not_told() -> None:
    older = handed_in().model_copy(update={"check_by": None})
    case(*AT_WORK, older).when(escalate(TEN + timedelta(days=30))).then()


# In time.


def test_it_runs_in_the_hours_that_the_duty_list_says() -> None:
    by_day = NOISE.model_copy(update={"clock": DeadlineClock.WORKING_HOURS})
    evening = NINE + 9 * HOUR  # six in the evening, a Tuesday
    next_morning = NINE + timedelta(hours=25, minutes=30)  # half past ten
    case(reported).when(accept(evening, by_day)).then(
        accepted.model_copy(update={"clock": DeadlineClock.WORKING_HOURS, "due": next_morning, "at": evening})
    )


def test_who_has_it_is_warned_once_before_the_deadline() -> None:
    warned = CaseWarned(case=ID, grid=GRID, worker=LI, due=ELEVEN, at=TEN)
    case(*AT_WORK).when(Warn(TEN)).then(warned)
    case(*AT_WORK, warned).when(Warn(TEN)).then()
    case(*AT_WORK).when(Warn(ELEVEN)).then()
    case(*HANDED_IN).when(Warn(TEN)).then()


def test_the_longer_it_is_late_the_higher_it_goes_each_rung_once() -> None:
    history: list[Event] = list(AT_WORK)
    at, rungs = ELEVEN, list[Rung]()
    while True:
        [told] = CASE.decide(CASE.fold(history), escalate(at))
        assert isinstance(told, CaseEscalated)
        history.append(told)
        assert CASE.decide(CASE.fold(history), escalate(at)) == []
        rungs.append(told.rung)
        if told.next_at is None:
            break
        at = told.next_at
    assert rungs == [Rung.LEADER, Rung.INSTRUCTOR, Rung.OFFICER_OR_SECRETARY, Rung.STREET]


def test_what_was_to_be_told_is_told_then_whatever_calendar_is_entered_meanwhile() -> None:
    duty = NOISE.model_copy(update={"clock": DeadlineClock.WORKING_HOURS, "deadline_minutes": 450})
    [taken] = CASE.decide(CASE.fold([reported]), accept(NINE, duty))
    had = CASE.fold([reported, taken])
    assert had.due
    assert had.due == NINE + timedelta(days=1)
    wednesday_off = Calendar(days_off={date(2026, 11, 25): Title(zh="停工日", en="A day off")})
    [told] = CASE.decide(had, Escalate(wednesday_off, had.due))
    assert isinstance(told, CaseEscalated)
    assert (told.rung, told.due) == (Rung.LEADER, had.due)
    assert told.next_at
    thursday_off = Calendar(days_off={date(2026, 11, day): Title(zh="停工日", en="A day off") for day in (25, 26)})
    [higher] = CASE.decide(CASE.fold([told], had), Escalate(thursday_off, told.next_at))
    assert isinstance(higher, CaseEscalated)
    assert higher.rung is Rung.INSTRUCTOR


def test_who_was_away_for_days_tells_the_highest_only() -> None:
    told = CaseEscalated(case=ID, grid=GRID, worker=LI, due=ELEVEN, rung=Rung.STREET, at=ELEVEN + 48 * HOUR)
    case(*AT_WORK).when(escalate(ELEVEN + 48 * HOUR)).then(told)


# The flow as data.


@pytest.mark.parametrize("step", Step)
def test_every_step_can_be_left_or_is_an_end(step: Step) -> None:
    left = [move for move in MOVES.values() if set(move.ways.get(step, ())) - {step}]
    ends = {Step.REFUSED, Step.WITHDRAWN}
    assert bool(left) != (step in ends)


def test_the_picture_in_the_readme_is_drawn_from_the_moves() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert diagram() in readme, "write it anew: it is what diagram() gives"
