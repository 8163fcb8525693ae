"""Why something may not be done with a visit, a round, a patrol or a campaign."""

from collections.abc import Mapping, Sequence
from datetime import date

from events import Refused


class VisitOver(Refused):
    """It was made, or is not made any more."""

    reason = "visit-over"

    def __init__(self, step: str) -> None:
        super().__init__(
            f"这次走访已结束（{step}）；需要时请另行安排。 This visit is over ({step}); plan another one if need be.",
            step=step,
        )


class NotYourVisit(Refused):
    """Only who has it says what came of it."""

    reason = "not-your-visit"

    def __init__(self) -> None:
        super().__init__(
            "这次走访由他人承担，由其本人记录。 Somebody else has this visit, who alone records what came of it."
        )


class AskedNotToBeContacted(Refused):
    """They asked for it, and no law asks for the visit."""

    reason = "asked-not-to-be-contacted"

    def __init__(self) -> None:
        super().__init__(
            "对方要求不被联系，且本次走访非法律所要求。 They asked not to be contacted, and no law asks for this visit."
        )


class NotThisForm(Refused):
    """Each kind of visit has its form."""

    reason = "not-this-form"

    def __init__(self, expected: str) -> None:
        super().__init__(
            f"此类走访使用表单“{expected}”，见 GET /visit-forms。 Visits of this kind have the form {expected}: "
            "GET /visit-forms.",
            form=expected,
        )


class NotByTheForm(Refused):
    """The answers are not as the form's schema asks. Says where, never what stood there."""

    reason = "not-by-the-form"

    def __init__(self, errors: Sequence[Mapping[str, str]]) -> None:
        fields = ", ".join(sorted({it["field"] for it in errors}))
        super().__init__(
            f"以下内容不符合表单：{fields}。 Not as the form asks: {fields}.",
            errors=[{"place": "body", **it} for it in errors],
        )


class TooFarAhead(Refused):
    """A visit is put on one of the next days."""

    reason = "not-a-day-to-come"

    def __init__(self, first: date, last: date) -> None:
        super().__init__(
            f"请选择 {first} 至 {last} 之间的一天。 Choose a day from {first} to {last}.",
            first=first.isoformat(),
            last=last.isoformat(),
        )


class NotInThisGrid(Refused):
    """Visits are for who is in post in their grid."""

    reason = "not-in-post-here"

    def __init__(self, worker: str, grid: str) -> None:
        super().__init__(
            f"{worker} 不是 {grid} 的网格员或网格长。 {worker} is neither grid worker nor grid leader of {grid}."
        )


class SpeaksForNobody(Refused):
    """A campaign is asked for by who speaks for a department."""

    reason = "speaks-for-nobody"

    def __init__(self) -> None:
        super().__init__(
            "名册中未登记您所代表的部门。 The roster names no department that you speak for (department_liaison, body)."
        )


class NoBudget(Refused):
    """Nobody has said how many hours there are for campaigns in that month."""

    reason = "no-budget-yet"

    def __init__(self, month: str) -> None:
        super().__init__(
            f"{month} 尚未核定联合行动工时。 Nobody has laid down hours for campaigns in {month} yet.", month=month
        )


class BeyondTheBudget(Refused):
    """There are not so many hours left."""

    reason = "beyond-the-budget"

    def __init__(self, month: str, left: int, asked: int) -> None:
        super().__init__(
            f"{month} 联合行动工时尚余 {left} 小时，申请 {asked} 小时。 "
            f"{left} hours are left for campaigns in {month}, {asked} were asked for.",
            month=month,
            left=left,
            asked=asked,
        )


class CampaignDecided(Refused):
    """It was approved or refused before."""

    reason = "campaign-decided"

    def __init__(self) -> None:
        super().__init__("该联合行动已有决定。 This campaign has been decided on.")


class NotOfOneMonth(Refused):
    """A campaign begins and ends in the month whose hours it takes."""

    reason = "not-of-one-month"

    def __init__(self, month: str) -> None:
        super().__init__(
            f"联合行动应在 {month} 内开始并结束。 A campaign begins and ends in its month, {month}.", month=month
        )


class LessThanApproved(Refused):
    """A budget does not fall below what is given already."""

    reason = "less-than-approved"

    def __init__(self, approved: int) -> None:
        super().__init__(
            f"已批准 {approved} 小时，预算不能更少。 {approved} hours are approved already; the budget is no less.",
            approved=approved,
        )
