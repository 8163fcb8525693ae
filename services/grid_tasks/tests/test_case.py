"""A case from the report to its end, the way back, and what is refused, in the words of the trade."""

from dataclasses import replace
from datetime import timedelta

import pytest
from contracts.grid_tasks import CaseEscalated, CasePlaced, CaseRated, EscalationCause, Rung
from events import Event
from grid_tasks.domain.case import CASE
from grid_tasks.domain.commands import Assign, CaseCommand, PlaceIn, Rate, Start
from grid_tasks.domain.placing import Needed
from grid_tasks.domain.refusals import (
    AlreadyRated,
    AlreadyTheirs,
    AlreadyThere,
    NotAGridDuty,
    NotARating,
    NotInPostHere,
    NotOnAnyDutyList,
    NotPossibleNow,
    NotYourCase,
    NotYourReceipt,
    NowhereYet,
    VerifiedByAnother,
)

from .trade import (
    AT_WORK,
    CLOSED,
    DAYS,
    ELEVEN,
    GRID,
    HANDED_IN,
    ID,
    INSTRUCTOR,
    LEADER,
    LI,
    LICENCES,
    NINE,
    NOON,
    ONE,
    RECEIPT,
    TEN,
    TWO,
    WANG,
    accept,
    accepted,
    assign,
    case,
    closed,
    dispatched,
    escalate,
    escalated,
    give,
    hand_in,
    handed_in,
    report,
    reported,
    send_back,
    sent_back,
    started,
    unplaced,
    verified,
    verify,
)

# The seven steps.


def test_what_is_a_duty_of_the_grid_and_lies_in_one_is_taken_in() -> None:
    case().when(report()).then(reported)


def test_it_is_accepted_with_the_deadline_of_the_duty_list() -> None:
    case(reported).when(accept()).then(accepted)


def test_it_is_dispatched_to_one_worker_who_has_the_whole_time_from_then() -> None:
    case(reported, accepted).when(assign(LI, None, "least open work", at=TEN)).then(dispatched(LI, TEN))


def test_the_worker_starts_and_hands_in() -> None:
    case(reported, accepted, dispatched()).when(Start(LI, at=TEN)).then(started())
    case(*AT_WORK).when(hand_in(LI, TEN)).then(handed_in())


def test_somebody_else_verifies_it_which_closes_it() -> None:
    case(*HANDED_IN).when(verify(LEADER, NOON)).then(verified(), closed())


def test_who_holds_the_receipt_rates_it() -> None:
    rating = CaseRated(case=ID, worker=LI, rating=5, closed_at=NOON, grid=GRID, at=TWO)
    case(*CLOSED).when(Rate(5, RECEIPT, at=TWO)).then(rating)


# The way back.


def test_what_is_not_done_goes_back_to_the_worker_with_the_whole_time_anew() -> None:
    case(*HANDED_IN).when(send_back(LEADER, "反映人未获告知", at=NOON)).then(sent_back())


def test_what_was_sent_back_is_started_and_handed_in_again_as_the_second_attempt() -> None:
    back = (*HANDED_IN, sent_back())
    case(*back).when(Start(LI, at=ONE)).then(started(at=ONE))
    case(*back, started(at=ONE)).when(hand_in(LI, ONE)).then(handed_in(at=ONE, attempt=2))


def test_a_case_that_needed_two_attempts_is_not_closed_at_the_first_but_may_be_on_time() -> None:
    twice = (*HANDED_IN, sent_back(), started(at=ONE), handed_in(at=ONE, attempt=2))
    case(*twice).when(verify(LEADER, TWO)).then(
        verified(TWO, attempt=2), closed(TWO, on_time=True, first_attempt=False)
    )


def test_late_the_first_time_stays_late_however_quick_the_second_is() -> None:
    late = (*AT_WORK, handed_in(at=NOON, on_time=False), sent_back())
    case(*late, started(at=ONE)).when(hand_in(LI, ONE)).then(handed_in(at=ONE, attempt=2))
    done = (*late, started(at=ONE), handed_in(at=ONE, attempt=2))
    case(*done).when(verify(LEADER, TWO)).then(
        verified(TWO, attempt=2), closed(TWO, on_time=False, first_attempt=False)
    )


def test_in_time_is_not_after_the_deadline() -> None:
    case(*AT_WORK).when(hand_in(LI, ELEVEN)).then(handed_in(at=ELEVEN))
    late = ELEVEN.replace(microsecond=1)
    case(*AT_WORK).when(hand_in(LI, late)).then(handed_in(at=late, on_time=False))


# At the door.


def test_what_is_on_nobodys_list_is_refused() -> None:
    case().when(report("ufo", duty=None)).refused(NotOnAnyDutyList)


def test_what_is_another_departments_duty_is_refused_with_its_name() -> None:
    when = case().when(report(LICENCES.category, LICENCES))
    when.refused(NotAGridDuty, "市场监督管理局")
    when.refused(NotAGridDuty, "Market supervision bureau")
    assert when.refusal is not None
    assert when.refusal.details["department"] == {"zh": "市场监督管理局", "en": "Market supervision bureau"}


def test_a_place_outside_every_grid_waits_for_the_desk_which_finds_its_grid() -> None:
    nowhere = reported.model_copy(update={"grid": ""})
    case().when(report(grid=None)).then(nowhere)
    case(nowhere).when(accept()).refused(NowhereYet)
    placed = CasePlaced(case=ID, grid=GRID, by=INSTRUCTOR, at=NINE)
    case(nowhere).when(PlaceIn(GRID, INSTRUCTOR, at=NINE)).then(placed)
    case(nowhere, placed).when(accept()).then(accepted)
    case(reported).when(PlaceIn("G2", INSTRUCTOR, at=NINE)).refused(AlreadyThere)


def test_the_duty_comes_before_the_place_so_that_the_reporter_learns_whom_to_ask() -> None:
    case().when(report(LICENCES.category, LICENCES, grid=None)).refused(NotAGridDuty)


# Whose case it is.


def test_only_the_worker_to_whom_it_was_dispatched_starts_it_and_hands_it_in() -> None:
    case(reported, accepted, dispatched()).when(Start(WANG, at=TEN)).refused(NotYourCase)
    case(*AT_WORK).when(hand_in(WANG, TEN)).refused(NotYourCase)


def test_who_handed_it_in_neither_verifies_it_nor_sends_it_back() -> None:
    case(*HANDED_IN).when(verify(LI, NOON)).refused(VerifiedByAnother)
    case(*HANDED_IN).when(send_back(LI, "没做完", at=NOON)).refused(VerifiedByAnother)


def test_who_handled_it_before_another_did_does_not_verify_it_either() -> None:
    by_wang = (*HANDED_IN, sent_back(), dispatched(WANG, ONE), started(WANG, ONE), handed_in(WANG, ONE, attempt=2))
    case(*by_wang).when(verify(LI, TWO)).refused(VerifiedByAnother)
    case(*by_wang).when(verify(INSTRUCTOR, TWO)).then(
        verified(TWO, 2, WANG, INSTRUCTOR),
        closed(TWO, first_attempt=False, worker=WANG),
    )


# Giving it to another.


@pytest.mark.parametrize("history", [AT_WORK[:2], AT_WORK[:3], AT_WORK])
def test_until_it_is_handed_in_a_leader_may_give_it_to_another_who_has_the_whole_time(
    history: tuple[Event, ...],
) -> None:
    case(*history).when(give(WANG)).then(dispatched(WANG, TEN, "他在附近"))


def test_once_handed_in_it_is_not_given_to_another() -> None:
    case(*HANDED_IN).when(give(WANG)).refused(NotPossibleNow)
    case(*CLOSED).when(give(WANG)).refused(NotPossibleNow)


def test_after_it_was_sent_back_it_may_be_given_to_another_again() -> None:
    case(*HANDED_IN, sent_back()).when(give(WANG)).then(dispatched(WANG, TEN, "他在附近"))


def test_it_is_given_only_to_who_is_in_post_in_its_grid() -> None:
    case(reported, accepted).when(give("a-visitor", grid=None)).refused(NotInPostHere)
    case(reported, accepted).when(give(WANG, grid="G2")).refused(NotInPostHere)


def test_giving_it_to_who_has_it_would_only_move_the_deadline_and_is_refused() -> None:
    case(*AT_WORK).when(give(LI)).refused(AlreadyTheirs)


def test_the_rule_moves_it_only_as_long_as_it_is_with_whom_it_believes() -> None:
    case(*AT_WORK).when(assign(WANG, LI, "left", at=TEN)).then(dispatched(WANG, TEN, "left"))
    case(*AT_WORK, dispatched(WANG, TEN)).when(assign("chen", LI, "left", at=TEN)).then()
    case(*AT_WORK).when(assign(WANG, None, "least open work", at=TEN)).then()
    for needed in (Needed("G2"), Needed(GRID, body="市场监督管理局")):
        chosen = Assign(LI, None, "chosen before it was another's", DAYS, TEN, needed)
        case(reported, accepted).when(chosen).then()
    case(*HANDED_IN).when(assign(WANG, LI, "left", at=NOON)).then()


# Escalation.


def test_a_case_that_is_not_handed_in_by_its_deadline_is_escalated_once() -> None:
    overdue = escalate(at=ELEVEN)
    case(*AT_WORK).when(overdue).then(escalated(ELEVEN, ELEVEN))
    case(*AT_WORK, escalated(ELEVEN, ELEVEN)).when(replace(overdue, at=NOON)).then()


def test_before_the_deadline_or_once_handed_in_there_is_nothing_to_escalate() -> None:
    overdue = escalate(at=TEN)
    case(*AT_WORK).when(overdue).then()
    case(*HANDED_IN).when(replace(overdue, at=TWO)).then()
    case(*CLOSED).when(replace(overdue, at=TWO)).then()


def test_a_new_deadline_can_be_missed_again() -> None:
    missed = (*AT_WORK, escalated(ELEVEN, ELEVEN), dispatched(WANG, ELEVEN))
    case(*missed).when(escalate(at=ONE)).then(escalated(ONE, ONE, WANG))


def test_a_case_that_nobody_can_have_is_escalated_at_once_and_keeps_waiting() -> None:
    nobody = unplaced(None, NINE)
    told = escalated(ELEVEN, NINE, None, EscalationCause.NOBODY_IN_POST).model_copy(
        update={"rung": Rung.INSTRUCTOR, "next_at": ELEVEN + timedelta(minutes=450)}
    )
    case(reported, accepted).when(nobody).then(told)
    case(reported, accepted, told).when(nobody).then()
    case(reported, accepted, told).when(assign(LI, None, "least open work", at=TEN)).then(dispatched(LI, TEN))


def test_that_nobody_is_there_is_not_said_of_a_case_that_somebody_else_has_got_meanwhile() -> None:
    case(*AT_WORK).when(unplaced(WANG, TEN)).then()
    case(*AT_WORK).when(unplaced(None, TEN)).then()
    case(*HANDED_IN).when(unplaced(None, NOON)).then()
    [told] = case(*AT_WORK).when(unplaced(LI, TEN)).events
    assert isinstance(told, CaseEscalated)
    assert (told.cause, told.worker) == (EscalationCause.NOBODY_IN_POST, LI)


def test_of_a_departments_case_that_nobody_can_have_the_leader_is_told_who_is_there() -> None:
    theirs = accepted.model_copy(update={"body": "市场监督管理局"})
    [told] = case(reported, theirs).when(unplaced(None, NINE)).events
    assert isinstance(told, CaseEscalated)
    assert told.rung is Rung.LEADER


def test_a_case_that_nobody_has_taken_is_escalated_at_its_deadline() -> None:
    case(reported, accepted).when(escalate(at=ELEVEN)).then(escalated(ELEVEN, ELEVEN, None))


def test_escalation_is_a_flag_and_no_step_the_worker_goes_on() -> None:
    case(*AT_WORK, escalated(ELEVEN, ELEVEN)).when(hand_in(LI, NOON)).then(handed_in(at=NOON, on_time=False))


# The rating.


def test_without_the_receipt_nobody_rates() -> None:
    case(*CLOSED).when(Rate(1, "guessed", at=TWO)).refused(NotYourReceipt)


def test_a_case_is_rated_once_and_only_when_it_is_closed() -> None:
    rating = CaseRated(case=ID, worker=LI, rating=5, closed_at=NOON, grid=GRID, at=TWO)
    case(*CLOSED, rating).when(Rate(1, RECEIPT, at=TWO)).refused(AlreadyRated)
    case(*HANDED_IN).when(Rate(1, RECEIPT, at=TWO)).refused(NotPossibleNow)


@pytest.mark.parametrize("rating", [0, 6, -1])
def test_a_rating_goes_from_one_to_five(rating: int) -> None:
    case(*CLOSED).when(Rate(rating, RECEIPT, at=TWO)).refused(NotARating)


# What is not possible now.

EVERY_COMMAND: dict[str, CaseCommand] = {
    "report": report(),
    "dispatch": give(WANG),
    "start": Start(LI, at=TWO),
    "hand-in": hand_in(LI, TWO),
    "verify": verify(LEADER, TWO),
    "send-back": send_back(LEADER, "没做完", at=TWO),
    "rating": Rate(5, RECEIPT, at=TWO),
}


@pytest.mark.parametrize(
    "history", [(), (reported,), AT_WORK[:2], AT_WORK[:3], AT_WORK, HANDED_IN, (*HANDED_IN, sent_back()), CLOSED]
)
def test_a_refusal_names_the_step_and_exactly_what_is_possible(history: tuple[Event, ...]) -> None:
    state = CASE.fold(history)
    refusals = {wanted: case(*history).when(command).refusal for wanted, command in EVERY_COMMAND.items()}
    allowed = {wanted for wanted, refusal in refusals.items() if refusal is None}
    assert allowed == (set(state.possible) & set(EVERY_COMMAND) or ({"report"} if not history else set()))
    for refusal in filter(None, refusals.values()):
        assert isinstance(refusal, NotPossibleNow)
        assert refusal.details["possible"] == list(state.possible)
        assert refusal.details["step"] == (state.step or "not reported")


def test_accepting_twice_is_harmless() -> None:
    case(reported, accepted).when(accept(TEN)).then()
