"""What is counted of cases, day by day, and the indicators (指标) that are made of it.

The names are those of the evaluation of digital urban management (GB/T 30428.4, CJ/T 292); what each means here is said
in terms of events, so that whoever has the events gets the same. docs/indicators.md says it with a query for all.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from contracts.common import Title
from contracts.grid_tasks import ReporterKind

DISPATCHED_WITHIN = timedelta(minutes=30)
"""按时派遣: how long an accepted case may wait for somebody to have it. The standard leaves the length to the city."""

SATISFIED_FROM = 4
"""满意: of the five ratings, those from here on."""

BY_THE_PUBLIC = frozenset({ReporterKind.RESIDENT, ReporterKind.HOTLINE, ReporterKind.OPEN311})
"""公众举报: who reports as a resident, whichever way it comes in."""


class Count(StrEnum):
    """What is counted. Those of `STANDING` are how many there are at the end of a period; the others, how many there
    were in it."""

    REPORTED = "reported"
    REPORTED_BY_PUBLIC = "reported_by_public"
    ACCEPTED = "accepted"
    NOT_ACCEPTED = "not_accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"
    TAKEN_UP = "taken_up"
    DISPATCHED = "dispatched"
    DISPATCHED_IN_TIME = "dispatched_in_time"
    HANDED_IN = "handed_in"
    HANDED_IN_IN_TIME = "handed_in_in_time"
    SENT_BACK = "sent_back"
    CLOSED = "closed"
    CLOSED_IN_TIME = "closed_in_time"
    CLOSED_AT_ONCE = "closed_at_once"
    REOPENED = "reopened"
    RATED = "rated"
    SATISFIED = "satisfied"
    OPEN = "open"
    LATE_TO_DISPATCH = "late_to_dispatch"
    LATE_TO_HAND_IN = "late_to_hand_in"
    LATE_TO_CLOSE = "late_to_close"


STANDING = frozenset({Count.OPEN, Count.LATE_TO_DISPATCH, Count.LATE_TO_HAND_IN, Count.LATE_TO_CLOSE})

_WITHIN = DISPATCHED_WITHIN // timedelta(minutes=1)

COUNTS: Mapping[Count, tuple[str, Title]] = {
    Count.REPORTED: ("上报数", Title(zh="上报的事件", en="cases reported")),
    Count.REPORTED_BY_PUBLIC: (
        "公众举报数",
        Title(zh="居民、热线或 Open311 上报的事件", en="of these, by residents, hotlines and Open311"),
    ),
    Count.ACCEPTED: ("受理数", Title(zh="受理的事件", en="cases accepted")),
    Count.NOT_ACCEPTED: (
        "未受理数",
        Title(zh="受理前不予受理、撤回或并案的事件", en="cases refused, withdrawn or merged before they were accepted"),
    ),
    Count.REFUSED: ("不予受理数", Title(zh="不予受理的事件", en="cases refused")),
    Count.WITHDRAWN: ("撤回数", Title(zh="撤回、销案的事件", en="cases withdrawn by their reporters, or called off")),
    Count.MERGED: ("并案数", Title(zh="并入其他事件的事件", en="cases merged into others")),
    Count.TAKEN_UP: (
        "恢复办理数",
        Title(
            zh="并入的事件未办理即结束、恢复办理的事件",
            en="cases taken up again, as those that they were merged into ended without being dealt with",
        ),
    ),
    Count.DISPATCHED: ("派遣数", Title(zh="待派遣事件的派遣", en="dispatches of cases that waited for it")),
    Count.DISPATCHED_IN_TIME: (
        "按时派遣数",
        Title(zh=f"其中等待不超过 {_WITHIN} 分钟的", en=f"of these, after a wait of at most {_WITHIN} minutes"),
    ),
    Count.HANDED_IN: ("处置数", Title(zh="处置反馈（返工后再次反馈另计）", en="results handed in, each time")),
    Count.HANDED_IN_IN_TIME: ("按期处置数", Title(zh="其中在时限内的", en="of these, by the deadline")),
    Count.SENT_BACK: ("返工数", Title(zh="核查或复核后退回返工", en="results sent back")),
    Count.CLOSED: ("结案数", Title(zh="结案", en="cases closed")),
    Count.CLOSED_IN_TIME: (
        "按期结案数",
        Title(zh="其中首次反馈在时限内的", en="of these, first handed in by the deadline"),
    ),
    Count.CLOSED_AT_ONCE: (
        "一次办结数",
        Title(zh="其中未经返工和重开的", en="of these, neither sent back nor reopened before"),
    ),
    Count.REOPENED: ("重开数", Title(zh="反映人重开的事件", en="cases reopened by their reporters")),
    Count.RATED: ("评价数", Title(zh="反映人的评价", en="ratings by reporters")),
    Count.SATISFIED: (
        "满意数",
        Title(zh=f"其中 {SATISFIED_FROM} 分及以上的", en=f"of these, {SATISFIED_FROM} or more"),
    ),
    Count.OPEN: ("期末在办数", Title(zh="期末未结束的事件", en="cases that have not ended, at the end")),
    Count.LATE_TO_DISPATCH: (
        "期末超时未派遣数",
        Title(zh=f"期末待派遣超过 {_WITHIN} 分钟的事件", en=f"cases that wait for dispatch for over {_WITHIN} minutes"),
    ),
    Count.LATE_TO_HAND_IN: (
        "期末超期未处置数",
        Title(zh="期末已过时限而未反馈的事件", en="cases past their deadline and not handed in, at the end"),
    ),
    Count.LATE_TO_CLOSE: (
        "期末超期未结案数",
        Title(zh="期末已过时限而未结束的事件", en="cases past their deadline that have not ended, at the end"),
    ),
}
"""By its code, the name of each count, and what it counts."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """A rate: the one count of all these."""

    code: str
    title: Title
    numerator: Count
    denominator: tuple[Count, ...]

    @property
    def formula(self) -> Title:
        """For people to read."""
        whole = " + ".join(COUNTS[it][0] for it in self.denominator)
        added = " + ".join(self.denominator)
        several = len(self.denominator) > 1
        zh = f"{COUNTS[self.numerator][0]} ÷ {f'（{whole}）' if several else whole}"
        return Title(zh=zh, en=f"{self.numerator} ÷ {f'({added})' if several else added}")


def _indicator(code: str, zh: str, en: str, numerator: Count, *denominator: Count) -> Indicator:
    return Indicator(code, Title(zh=zh, en=en), numerator, denominator)


INDICATORS = (
    _indicator("public_share", "公众举报率", "Reported by the public", Count.REPORTED_BY_PUBLIC, Count.REPORTED),
    _indicator("acceptance", "受理率（立案率）", "Accepted", Count.ACCEPTED, Count.ACCEPTED, Count.NOT_ACCEPTED),
    _indicator("dispatch", "派遣率", "Dispatched", Count.DISPATCHED, Count.DISPATCHED, Count.LATE_TO_DISPATCH),
    _indicator(
        "dispatch_in_time",
        "按时派遣率",
        "Dispatched in time",
        Count.DISPATCHED_IN_TIME,
        Count.DISPATCHED,
        Count.LATE_TO_DISPATCH,
    ),
    _indicator("handling", "处置率", "Handled", Count.HANDED_IN, Count.HANDED_IN, Count.LATE_TO_HAND_IN),
    _indicator(
        "handling_in_time",
        "按期处置率",
        "Handled in time",
        Count.HANDED_IN_IN_TIME,
        Count.HANDED_IN,
        Count.LATE_TO_HAND_IN,
    ),
    _indicator("closing", "结案率", "Closed", Count.CLOSED, Count.CLOSED, Count.LATE_TO_CLOSE),
    _indicator(
        "closing_in_time", "按期结案率", "Closed in time", Count.CLOSED_IN_TIME, Count.CLOSED, Count.LATE_TO_CLOSE
    ),
    _indicator("rework", "返工率", "Sent back", Count.SENT_BACK, Count.SENT_BACK, Count.CLOSED),
    _indicator("at_once", "一次办结率", "Closed at the first attempt", Count.CLOSED_AT_ONCE, Count.CLOSED),
    _indicator("reopening", "重开率", "Reopened", Count.REOPENED, Count.CLOSED),
    _indicator("satisfaction", "满意率", "Satisfied", Count.SATISFIED, Count.RATED),
)
"""In the order of a case's life. Each lies between 0 and 1, whatever the period cuts apart; but for what is reopened,
which was mostly closed in an earlier one."""


def rates(counts: Mapping[Count, int]) -> Iterator[tuple[Indicator, int, int, float | None]]:
    """Each indicator with its numerator, its denominator and its value: None where there is nothing to divide by. A
    count that is missing is 0."""
    for it in INDICATORS:
        part, whole = counts.get(it.numerator, 0), sum(counts.get(each, 0) for each in it.denominator)
        yield it, part, whole, part / whole if whole else None
