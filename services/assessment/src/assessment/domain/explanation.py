"""Why a score is what it is, in Chinese and English: for the wall, and for whoever doubts their own score.

Everything is said from what was published, so that an old board explains itself by its own method.
"""

from collections.abc import Sequence

from contracts.assessment import Indicator, Method, Score, Weight
from contracts.common import Title

TITLES = {
    Indicator.ON_TIME: Title(zh="按时办结", en="On time"),
    Indicator.FIRST_ATTEMPT: Title(zh="一次核查通过", en="Verified at first attempt"),
    Indicator.SATISFACTION: Title(zh="群众满意度", en="Satisfaction"),
}

APPEAL = Title(
    zh="对分数有异议的，请到社区办公室提出并说明事件编号：每一分都可以按事件逐件复核。",
    en="If you doubt a score, come to the community office with the number of the case: "
    "every point can be recounted case by case.",
)


def method_text(method: Method) -> Title:
    """The method in two sentences."""
    if not method.weights:
        return Title(zh="本月尚无办结事件。", en="No case has been closed in this month yet.")
    zh = "、".join(f"{TITLES[weight.indicator].zh}{_plain(weight.points)}分" for weight in method.weights)
    en = ", ".join(f"{TITLES[weight.indicator].en.lower()} {_plain(weight.points)}" for weight in method.weights)
    return Title(
        zh=f"满分100分，只看办结事件的结果：{zh}；走访次数、巡查里程和办件数量都不计分。"
        f"件数少时偶然性大，因此每人的成绩都与{method.anchor}件按社区平均水平计的事件合并计算。",
        en=f"Of 100 points, only outcomes of closed cases count: {en}; visits, kilometres and the number of cases "
        f"score nothing. Because a few cases can be luck, everyone's own are counted together with {method.anchor} "
        "cases at the community's average.",
    )


def reasons(score: Score, method: Method) -> list[Title]:
    """One sentence for each indicator: from what to how many points."""
    return [_reason(score, weight, method.anchor) for weight in method.weights]


def ties(scores: Sequence[Score]) -> Title | None:
    """What is said where several have the same points; none where nobody has."""
    if len({score.points for score in scores}) == len(scores):
        return None
    return Title(zh="分数相同者名次并列。", en="Equal points share a place.")


def _reason(score: Score, weight: Weight, anchor: int) -> Title:
    share, of, zh, en = _own(score, weight.indicator)
    together = ((share or 0) * of + weight.average * anchor) / (of + anchor)
    points, most = _plain(score.by_indicator[weight.indicator]), _plain(weight.points)
    title = TITLES[weight.indicator]
    if share is None:
        return Title(
            zh=f"{title.zh}：本月无人评价，按社区平均{weight.average:.1%}计，得{points}分（满分{most}分）。",
            en=f"{title.en}: nobody rated, so the community's average of {weight.average:.1%} stands: "
            f"{points} of {most} points.",
        )
    return Title(
        zh=f"{title.zh}：{zh}，与按社区平均{weight.average:.1%}计的{anchor}件合并为{together:.1%}，"
        f"得{points}分（满分{most}分）。",
        en=f"{title.en}: {en}; with {anchor} at the community's average of {weight.average:.1%} that makes "
        f"{together:.1%}: {points} of {most} points.",
    )


def _own(score: Score, indicator: Indicator) -> tuple[float | None, int, str, str]:
    """The worker's own share, of how many, and how to say it."""
    match indicator:
        case Indicator.ON_TIME:
            return _cases(score.on_time, score.closed)
        case Indicator.FIRST_ATTEMPT:
            return _cases(score.first_attempt, score.closed)
        case Indicator.SATISFACTION if score.satisfaction is not None:
            mean = f"{1 + 4 * score.satisfaction:.1f}"
            return (
                score.satisfaction,
                score.ratings,
                f"{score.ratings}人评价，平均{mean}分（1至5分），即{score.satisfaction:.1%}",
                f"{score.ratings} rated, {mean} of 5 on average, which is {score.satisfaction:.1%}",
            )
        case Indicator.SATISFACTION:
            return None, 0, "", ""


def _cases(share: float, closed: int) -> tuple[float, int, str, str]:
    good = round(share * closed)
    return share, closed, f"{closed}件中{good}件（{share:.1%}）", f"{good} of {closed} cases ({share:.1%})"


def _plain(points: float) -> str:
    """40, 36.3: no needless zero."""
    return f"{points:.1f}".removesuffix(".0")
