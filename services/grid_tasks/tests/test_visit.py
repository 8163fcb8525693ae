"""A visit: who may say what came of it, when the next try is, and whom one leaves alone. In the words of the trade."""

from dataclasses import replace
from datetime import timedelta

import pytest
from contracts.grid_tasks import (
    VisitAnswersErased,
    VisitCancelled,
    VisitDone,
    VisitGridChanged,
    VisitMovedAway,
    VisitNobodyHome,
    VisitPutOn,
    VisitTurnedAway,
)
from contracts.visits import CancelCause, PartOfWeek, VisitKind
from events import Event
from events.aggregate import Refused
from grid_tasks.domain.calendar_year import calendar_of
from grid_tasks.domain.hours import at
from grid_tasks.domain.known_years import KNOWN_YEARS
from grid_tasks.domain.meeting import believed, part_at, windows
from grid_tasks.domain.visit import (
    AHEAD,
    VISIT,
    Assign,
    Cancel,
    EraseAnswers,
    MoveAway,
    MoveTo,
    NobodyHome,
    Plan,
    PutOn,
    Record,
    Settle,
    TurnAway,
    VisitStep,
    visit_of,
)
from grid_tasks.domain.visit_refusals import (
    AskedNotToBeContacted,
    NotInThisGrid,
    NotThisForm,
    NotYourVisit,
    TooFarAhead,
    VisitOver,
)
from grid_tasks.domain.working_time import Calendar

from .doors import ALL_RIGHT, DAYS, EVENING, OTHER_PHONE, SATURDAY, TUESDAY, VISIT_ID, WEI, assigned, planned, visit
from .trade import GRID, LI, NINE, WANG

OPEN = (planned(), assigned())
RECORD = Record(LI, None, EVENING, "resident", 1, ALL_RIGHT)


def test_one_due_is_one_visit_however_often_it_is_told() -> None:
    assert visit_of("d1", WEI) == visit_of("d1", WEI) != visit_of("d2", WEI)
    visit().when(Plan(planned())).then(planned())
    visit(*OPEN).when(Plan(planned())).then()


def test_who_asked_not_to_be_contacted_is_visited_only_where_the_law_asks() -> None:
    visit().when(Plan(planned(VisitKind.REVISIT), no_contact=True)).refused(AskedNotToBeContacted)
    visit().when(Plan(planned(VisitKind.REGISTRATION), no_contact=True)).then(planned())
    cancel = Cancel(CancelCause.NO_CONTACT, "", None, NINE)
    visit(planned()).when(cancel).then()
    gone = VisitCancelled(visit=VISIT_ID, grid=GRID, cause=CancelCause.NO_CONTACT, at=NINE)
    visit(planned(VisitKind.SAMPLE)).when(cancel).then(gone)


def test_what_is_settled_needs_no_visit_whichever_is_heard_first() -> None:
    settled = VisitCancelled(visit=VISIT_ID, grid=GRID, cause=CancelCause.SETTLED, at=NINE)
    visit(*OPEN).when(Settle(VISIT_ID, NINE)).then(settled)
    before = settled.model_copy(update={"grid": ""})
    visit().when(Settle(VISIT_ID, NINE)).then(before)
    visit(before).when(Plan(planned())).then()
    visit(before).when(Settle(VISIT_ID, NINE)).then()
    visit(before).when(EraseAnswers(EVENING)).then(VisitAnswersErased(visit=VISIT_ID, at=EVENING))


def test_a_visit_that_settled_it_stays_done() -> None:
    (done,) = visit(*OPEN).when(RECORD).events
    visit(*OPEN, done).when(Settle(VISIT_ID, EVENING)).then()


def test_an_open_visit_goes_where_it_lies_now() -> None:
    moved = VisitGridChanged(visit=VISIT_ID, grid="G2", was=GRID, at=NINE)
    visit(*OPEN).when(MoveTo("G2", NINE)).then(moved)
    visit(*OPEN, moved).when(MoveTo("G2", NINE)).then()
    assert VISIT.fold([*OPEN, moved]).worker == LI, "until somebody there gets it"
    over = VisitTurnedAway(visit=VISIT_ID, kind=VisitKind.OTHER, grid=GRID, worker=LI, at=EVENING)
    visit(*OPEN, over).when(MoveTo("G2", NINE)).then()


def test_what_was_answered_is_recorded_by_who_has_it() -> None:
    done = VisitDone(
        visit=VISIT_ID,
        kind=VisitKind.REGISTRATION,
        of="people",
        thing=WEI,
        grid=GRID,
        cause="registration-P-wei-2026-12-20",
        worker=LI,
        form="resident",
        form_version=1,
        as_registered=True,
        answers='{"as_registered": true}',
        tries=1,
        done_at=EVENING,
        at=EVENING,
    )
    visit(*OPEN).when(RECORD).then(done)
    visit(*OPEN).when(replace(RECORD, by=WANG)).refused(NotYourVisit)
    visit(planned()).when(RECORD).refused(NotYourVisit)
    visit(*OPEN, done).when(RECORD).refused(VisitOver, "done")
    otherwise = visit(*OPEN).when(replace(RECORD, answers=OTHER_PHONE)).events[0]
    assert isinstance(otherwise, VisitDone)
    assert (otherwise.as_registered, otherwise.wrong) == (False, ("phone",))


def test_each_kind_has_its_form() -> None:
    visit(*OPEN).when(replace(RECORD, form="unit")).refused(NotThisForm, "resident")


def test_nobody_home_is_tried_again_on_another_day_and_the_third_time_is_the_leaders() -> None:
    history: list[Event] = list(OPEN)
    for nth in range(1, 4):
        (event,) = visit(*history).when(NobodyHome(LI, None, EVENING + timedelta(days=nth - 1), DAYS)).events
        assert isinstance(event, VisitNobodyHome)
        assert event.tries == nth
        assert event.part is PartOfWeek.WORKDAY_EVENING
        assert event.not_before == TUESDAY + timedelta(days=nth)
        assert event.to_leader == (nth == 3)
        history.append(event)
    state = VISIT.fold(history)
    assert (state.step, state.for_leader, len(state.tried)) == (VisitStep.OPEN, True, 3)


def test_a_phone_that_was_offline_says_when_it_was() -> None:
    told = EVENING - timedelta(days=2, hours=8)
    (event,) = visit(*OPEN).when(NobodyHome(LI, told, EVENING, DAYS)).events
    assert isinstance(event, VisitNobodyHome)
    assert (event.tried_at, event.part) == (told, PartOfWeek.FREE_MORNING), "a Sunday, by the phone"


@pytest.mark.parametrize("told", [EVENING + timedelta(days=1), EVENING - timedelta(days=8)])
def test_a_phone_with_a_wrong_clock_is_not_believed(told: object) -> None:
    assert believed(told, EVENING) == EVENING  # type: ignore[arg-type]


def test_turned_away_and_moved_away_are_outcomes_too() -> None:
    about = {"visit": VISIT_ID, "kind": VisitKind.REGISTRATION, "grid": GRID, "worker": LI, "at": EVENING}
    visit(*OPEN).when(TurnAway(LI, None, EVENING)).then(VisitTurnedAway.model_validate(about))
    moved = VisitMovedAway.model_validate(about | {"of": "people", "thing": WEI})
    visit(*OPEN).when(MoveAway(LI, None, EVENING)).then(moved)


def test_the_worker_puts_it_on_a_day_of_the_next_two_weeks() -> None:
    on = VisitPutOn(visit=VISIT_ID, worker=LI, day=SATURDAY, reason="约好周六", at=EVENING)
    visit(*OPEN).when(PutOn(LI, SATURDAY, "约好周六", EVENING)).then(on)
    for day in (TUESDAY - timedelta(days=1), TUESDAY + AHEAD + timedelta(days=1)):
        visit(*OPEN).when(PutOn(LI, day, "约好", EVENING)).refused(TooFarAhead)
    visit(*OPEN).when(PutOn(WANG, SATURDAY, "约好", EVENING)).refused(NotYourVisit)


def test_it_is_given_to_who_is_in_post_in_its_grid() -> None:
    by_hand = Assign(WANG, None, True, "李去培训", NINE, by_rule=False)
    (event,) = visit(*OPEN).when(by_hand).events
    assert (event.worker, event.instead_of) == (WANG, LI)  # type: ignore[attr-defined]
    visit(*OPEN).when(replace(by_hand, in_post=False)).refused(NotInThisGrid)
    late = Assign(WANG, None, True, "fewest", NINE)
    visit(*OPEN).when(late).then()  # a rule that chose when nobody had it comes too late


def test_an_end_is_an_end() -> None:
    over = (*OPEN, VisitTurnedAway(visit=VISIT_ID, kind=VisitKind.OTHER, grid=GRID, worker=LI, at=EVENING))
    for command in (RECORD, NobodyHome(LI, None, EVENING, DAYS), Cancel(CancelCause.BY_HAND, "重复", LI, EVENING)):
        visit(*over).when(command).refused(VisitOver)
    visit(*over).when(Cancel(CancelCause.NO_CONTACT, "", None, EVENING)).then()
    visit().when(RECORD).refused(Refused)


def test_what_was_written_goes_when_its_period_is_over_or_they_are_erased() -> None:
    erased = VisitAnswersErased(visit=VISIT_ID, at=EVENING)
    over = (*OPEN, VisitTurnedAway(visit=VISIT_ID, kind=VisitKind.OTHER, grid=GRID, worker=LI, at=EVENING))
    visit(*over).when(EraseAnswers(EVENING)).then(erased)
    visit(*over, erased).when(EraseAnswers(EVENING)).then()
    visit(*OPEN).when(EraseAnswers(EVENING)).then()
    cancelled = VisitCancelled(visit=VISIT_ID, grid=GRID, cause=CancelCause.ERASED, at=EVENING)
    visit(*OPEN).when(EraseAnswers(EVENING, CancelCause.ERASED)).then(cancelled, erased)


CHINAS = calendar_of(KNOWN_YEARS, DAYS.hours)


def spans(of: str, hours: str, day: object, calendar: Calendar = CHINAS) -> list[tuple[int, int]]:
    return [(it.opens, it.closes) for it in windows(of, hours, day, calendar)]  # type: ignore[arg-type]


def test_people_are_at_home_in_the_evening_and_at_weekends_units_are_open_by_day() -> None:
    assert spans("people", "", TUESDAY) == [(at(18), at(21))]
    assert spans("people", "", SATURDAY) == [(at(9), at(12)), (at(14), at(18)), (at(18), at(21))]
    assert spans("units", "", TUESDAY) == [(at(9), at(12)), (at(14), at(18))]
    assert spans("units", "", SATURDAY) == []


def test_a_holiday_is_like_a_sunday_and_a_worked_saturday_like_a_monday() -> None:
    national_day = TUESDAY.replace(month=10, day=1)  # a Thursday
    worked = TUESDAY.replace(month=10, day=10)  # a Saturday that is worked, by the State Council's notice
    assert len(spans("people", "", national_day)) == 3
    assert spans("people", "", worked) == [(at(18), at(21))]


def test_what_the_register_knows_of_their_hours_counts() -> None:
    hours = "1-3,5 19:00-20:30; 6-7 09:30-11:00"
    assert spans("people", hours, TUESDAY) == [(at(19), at(20, 30))]
    assert spans("people", hours, TUESDAY + timedelta(days=2)) == [], "not on Thursdays"
    assert spans("people", hours, SATURDAY) == [(at(9, 30), at(11))]
    assert spans("people", "1-7 06:00-24:00", TUESDAY) == [(at(8, 30), at(12)), (at(14), at(18)), (at(18), at(21))]


def test_evening_begins_at_six() -> None:
    assert part_at(EVENING, DAYS) is PartOfWeek.WORKDAY_EVENING
    assert part_at(EVENING - timedelta(hours=2), DAYS) is PartOfWeek.WORKDAY_AFTERNOON
