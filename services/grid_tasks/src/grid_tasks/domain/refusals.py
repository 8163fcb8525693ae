"""Why something may not be done: each reason a class of its own, with a stable code for programs."""

from collections.abc import Sequence

from contracts.registry import DutyFacts
from events import Refused


class NotOnAnyDutyList(Refused):
    """Nobody is known to have this duty."""

    reason = "not-on-any-duty-list"

    def __init__(self, category: str) -> None:
        super().__init__(
            "责任清单中没有这一类事件；可受理的类别见 GET /duties。 "
            "No duty list has this category; GET /duties shows those that are taken.",
            category=category,
        )


class NotAGridDuty(Refused):
    """It is the duty of a department, and grid workers are not asked to do it."""

    reason = "not-a-grid-duty"

    def __init__(self, duty: DutyFacts) -> None:
        super().__init__(
            f"“{duty.title.zh}”不在网格员责任清单内，请向{duty.department.zh}反映。 "
            f"“{duty.title.en}” is not a duty of the grid; it goes to: {duty.department.en}.",
            category=duty.category,
            title_of_category=duty.title.model_dump(),
            department=duty.department.model_dump(),
            guidance=duty.standard.model_dump() if duty.standard else None,
        )


class OutsideEveryGrid(Refused):
    """The place lies in no grid that is known here."""

    reason = "outside-every-grid"

    def __init__(self) -> None:
        super().__init__(
            "该位置不在任何网格内；请核对经纬度（WGS-84）。 "
            "This place lies in no grid; check longitude and latitude (WGS-84, longitude first)."
        )


class NotPossibleNow(Refused):
    """The case is at a step from which this cannot be done."""

    reason = "not-possible-now"

    def __init__(self, wanted: str, step: str, possible: Sequence[str]) -> None:
        instead = f"possible now: {', '.join(possible)}" if possible else "nothing more can be done with it"
        super().__init__(
            f"{wanted} cannot be done with a case that is {step}; {instead}", step=step, possible=list(possible)
        )


class NotYourCase(Refused):
    """Only the worker to whom it was dispatched starts it and hands it in."""

    reason = "not-your-case"

    def __init__(self) -> None:
        super().__init__("this case was dispatched to somebody else, who alone starts it and hands it in")


class VerifiedByAnother(Refused):
    """Who handled a case does not verify it, and does not send it back."""

    reason = "verified-by-another"

    def __init__(self) -> None:
        super().__init__("you handed in the result of this case yourself; somebody else verifies it or sends it back")


class NotInPostHere(Refused):
    """Cases are dispatched to those who are in post in the case's own grid."""

    reason = "not-in-post-here"

    def __init__(self, worker: str, grid: str) -> None:
        super().__init__(f"{worker} is neither grid worker nor grid leader of {grid}; GET /workers shows who is")


class AlreadyTheirs(Refused):
    """Dispatching again to the same worker would only move the deadline."""

    reason = "already-theirs"

    def __init__(self, worker: str) -> None:
        super().__init__(f"{worker} has this case already; dispatching again gives it to somebody else")


class NotYourReceipt(Refused):
    """Only who holds the receipt rates the case."""

    reason = "not-your-receipt"

    def __init__(self) -> None:
        super().__init__("the Receipt header is not the receipt that was given for this case when it was reported")


class AlreadyRated(Refused):
    """A case is rated once."""

    reason = "already-rated"

    def __init__(self) -> None:
        super().__init__("this case has been rated; a rating is given once and stays")


class NotARating(Refused):
    """Ratings go from 1 to 5."""

    reason = "not-a-rating"

    def __init__(self) -> None:
        super().__init__("a rating is a whole number from 1 (not at all satisfied) to 5 (very much)")
