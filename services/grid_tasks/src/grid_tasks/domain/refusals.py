"""Why something may not be done: each reason a class of its own, with a stable code for programs."""

from collections.abc import Sequence
from typing import Any

from contracts.registry import DutyFacts
from events import Refused

from grid_tasks.domain.moves import Move


def standing(step: str, possible: Sequence[Move]) -> dict[str, Any]:
    """How a case stands, for who is refused something: its step, what is possible now, and whose each of it is."""
    return {"step": step, "possible": [it.name for it in possible], "by": {it.name: it.by for it in possible}}


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


class NotPossibleNow(Refused):
    """The case is at a step from which this cannot be done: says which it is, what can be done now, and by whom."""

    reason = "not-possible-now"

    def __init__(self, wanted: str, step: str, possible: Sequence[Move]) -> None:
        en = ", ".join(f"{it.name} (by: {it.by})" for it in possible)
        zh = "、".join(it.zh for it in possible)
        super().__init__(
            f"事件当前为“{step}”，不能执行“{wanted}”；"
            + (f"现在可以：{zh}。" if possible else "已无可执行的操作。")
            + f" {wanted} cannot be done with a case that is {step}; "
            + (f"possible now: {en}" if possible else "nothing more can be done with it"),
            **standing(step, possible),
        )


class NotYourGrid(Refused):
    """What is done with a case is for those who look after its grid. That there is such a case is no secret."""

    reason = "not-your-grid"

    def __init__(self, grid: str, step: str, possible: Sequence[Move]) -> None:
        super().__init__(
            f"该事件属于网格 {grid or '（待定位）'}，不在您的职责范围内。 "
            f"This case is {grid or 'in no grid yet'}, and that is not yours to look after.",
            grid=grid,
            **standing(step, possible),
        )


class NotYourCase(Refused):
    """Only the worker to whom it was dispatched starts it and hands it in."""

    reason = "not-your-case"

    def __init__(self) -> None:
        super().__init__(
            "该事件已派遣给他人，只有经办人可以处置和反馈。 "
            "This case was dispatched to somebody else, who alone starts it and hands it in."
        )


class VerifiedByAnother(Refused):
    """Who handled a case does not verify it, and does not send it back."""

    reason = "verified-by-another"

    def __init__(self) -> None:
        super().__init__(
            "您参与了该事件的处置，或已核查过，须由他人核查。 "
            "You handled this case, did a part of it, or have verified it: somebody else looks at it."
        )


class NotInPostHere(Refused):
    """Cases are dispatched to those who are in post in the case's own grid."""

    reason = "not-in-post-here"

    def __init__(self, worker: str, grid: str) -> None:
        super().__init__(
            f"{worker} 不是网格 {grid} 的网格员或网格长，人员见 GET /workers。 "
            f"{worker} is neither grid worker nor grid leader of {grid}; GET /workers shows who is"
        )


class AlreadyTheirs(Refused):
    """Dispatching again to the same worker would only move the deadline."""

    reason = "already-theirs"

    def __init__(self, worker: str) -> None:
        super().__init__(
            f"该事件已在 {worker} 手中，再次派遣须派给他人。 "
            f"{worker} has this case already; dispatching again gives it to somebody else"
        )


class NotYourReceipt(Refused):
    """Only who holds the receipt rates the case."""

    reason = "not-your-receipt"

    def __init__(self) -> None:
        super().__init__(
            "回执不符：不是上报该事件时给出的回执。 "
            "the Receipt header is not the receipt that was given for this case when it was reported"
        )


class AlreadyRated(Refused):
    """A case is rated once."""

    reason = "already-rated"

    def __init__(self) -> None:
        super().__init__(
            "该事件已评价，评价只作一次，不再更改。 this case has been rated; a rating is given once and stays"
        )


class NotARating(Refused):
    """Ratings go from 1 to 5."""

    reason = "not-a-rating"

    def __init__(self) -> None:
        super().__init__(
            "评价为 1（很不满意）至 5（很满意）的整数。 "
            "a rating is a whole number from 1 (not at all satisfied) to 5 (very much)"
        )


class NowhereYet(Refused):
    """The desk has not found its grid yet."""

    reason = "nowhere-yet"

    def __init__(self) -> None:
        super().__init__(
            "该事件的位置不在任何网格内，请先定位。 Its place lies in no grid: find its grid first (POST …/place)."
        )


class AlreadyThere(Refused):
    """It lies in a grid already."""

    reason = "already-there"

    def __init__(self, grid: str) -> None:
        super().__init__(f"该事件已定位在网格 {grid}。 this case lies in {grid} already", grid=grid)


class NotTheSame(Refused):
    """Only cases of one category are merged, into one that goes on."""

    reason = "not-the-same"

    def __init__(self, into: str) -> None:
        super().__init__(
            f"{into} 就是本事件、类别不同或已结束，请选择仍在办理的同类事件。 "
            f"{into} is this very case, of another category, or ended: name one that goes on"
        )


class NobodyOfThatBody(Refused):
    """No liaison of that department is on the roster."""

    reason = "nobody-of-that-body"

    def __init__(self, body: str) -> None:
        super().__init__(
            f"“{body}”没有在岗的联络员；请先在名册中登记（department_liaison，所属单位“{body}”）。 "
            f"No department_liaison of “{body}” is in post: the roster names one, with this body.",
            body=body,
        )


class NotUrgent(Refused):
    """The short way is for urgent cases."""

    reason = "not-urgent"

    def __init__(self) -> None:
        super().__init__(
            "只有责任清单列为紧急或网格长加急的事件可以紧急处置。 "
            "the short way is for cases that the duty list calls urgent, or a leader has made urgent"
        )


class NotAskedToHelp(Refused):
    """Only who was asked to help, and has not answered yet, does a part."""

    reason = "not-asked-to-help"

    def __init__(self) -> None:
        super().__init__(
            "未请您协办该事件，或您已经反馈。 you were not asked to do a part of this case, or have answered already"
        )


class DecidedByAnother(Refused):
    """Nobody gives themselves more time."""

    reason = "decided-by-another"

    def __init__(self) -> None:
        super().__init__(
            "您是该事件的经办人，延期由他人决定。 "
            "you have this case yourself; somebody else decides whether it gets more time"
        )


class NotMoreThanAsked(Refused):
    """More time is given up to what was asked for."""

    reason = "not-more-than-asked"

    def __init__(self, asked: int) -> None:
        super().__init__(
            f"申请延期 {asked} 分钟，批准的不得更多。 {asked} minutes were asked for; give at most as many", asked=asked
        )


class EvidenceMissing(Refused):
    """The duty list asks for files with the result."""

    reason = "evidence-missing"

    def __init__(self, needed: int, given: int) -> None:
        super().__init__(
            f"责任清单要求附 {needed} 份证据（照片等），现有 {given} 份。 "
            f"The duty list asks for {needed} photos or other files with the result; there are {given}.",
            needed=needed,
            given=given,
        )


class WaitsForOthers(Refused):
    """In joint handling the lead hands in when all have done their part."""

    reason = "waits-for-others"

    def __init__(self, helpers: Sequence[str]) -> None:
        super().__init__(
            f"{'、'.join(helpers)} 尚未完成协办，主办人须待其反馈后再反馈。 "
            f"These have yet to do their part: {', '.join(helpers)}; the lead hands in after them.",
            helpers=list(helpers),
        )


class PaperDue(Refused):
    """What an urgent case was handed in without is to be written down first."""

    reason = "paper-due"

    def __init__(self) -> None:
        super().__init__(
            "经办人尚未补录责任清单要求的内容（POST …/do-paper）。 "
            "who handled it has yet to write down what the duty list asks for (POST …/do-paper)"
        )


class PeriodOver(Refused):
    """A case is reopened within a period after its end."""

    reason = "period-over"

    def __init__(self, days: int) -> None:
        super().__init__(
            f"结案已超过 {days} 天，请重新上报。 It was closed more than {days} days ago: report it anew.", days=days
        )


class UnknownGrid(Refused):
    """There is no such grid on the map."""

    reason = "unknown-grid"

    def __init__(self, grid: str) -> None:
        super().__init__(f"没有编号为“{grid}”的网格。 There is no grid {grid}.", grid=grid)
