"""What became of a command that was not done, in a line for the phone's screen, by the reason of its problem."""

from collections.abc import Mapping

from contracts.common import Title

OTHERWISE = Title(zh="未能办理", en="This was not done")

TITLES: Mapping[str, Title] = {
    "not-possible-now": Title(
        zh="事件现在的状态不能这样办理", en="The case is no longer at a step where this can be done"
    ),
    "version-mismatch": Title(zh="离线期间事件已有变化", en="The case has changed since the phone saw it"),
    "not-your-case": Title(zh="事件已由他人办理", en="Somebody else has this case now"),
    "not-your-grid": Title(zh="不是您网格的事件", en="The case is not of your grid"),
    "not-your-visit": Title(zh="走访任务已交给他人", en="Somebody else has this visit now"),
    "visit-over": Title(zh="走访任务已结束", en="The visit is over"),
    "not-this-form": Title(zh="没有这一走访表", en="The visit is answered by another form"),
    "not-by-the-form": Title(zh="走访表填写有误", en="The answers are not as the form asks"),
    "not-a-day-to-come": Title(zh="改期日期不可用", en="It cannot be put on that day"),
    "not-asked-to-help": Title(zh="未请您协办，或您已反馈", en="You were not asked to help, or have answered already"),
    "not-urgent": Title(zh="不是紧急事件", en="The case is not urgent"),
    "not-in-post-here": Title(zh="您不在该网格任职", en="You are not in post in its grid"),
    "waits-for-others": Title(zh="会商单位尚未全部反馈", en="Others have yet to do their part"),
    "evidence-missing": Title(zh="缺少规定的证据", en="Photos or other evidence are missing"),
    "evidence-not-kept": Title(zh="照片等证据尚未上传", en="The photos are not uploaded yet"),
    "not-on-any-duty-list": Title(zh="责任清单中没有这一类事件", en="No duty list has this category"),
    "not-a-grid-duty": Title(zh="不属于网格职责", en="It is not a duty of the grid"),
    "not-your-receipt": Title(zh="回执不符", en="The receipt is not this case's"),
    "invalid-input": Title(zh="填写有误", en="Something in it is not valid"),
    "not-found": Title(zh="没有这一事件，或不在您的范围内", en="There is no such case, or it is out of your reach"),
    "not-allowed": Title(zh="您没有这项权力", en="You do not hold the power for this"),
    "idempotency-key-reused": Title(zh="编号已用于另一项操作", en="This id was used for something else"),
    "no-such-command": Title(zh="没有这种操作", en="There is no such command"),
    "comes-after": Title(zh="同一事件的前一步尚未办成", en="What comes before it in the same case was not done"),
}


def title_of(reason: str) -> Title:
    """The line for a reason."""
    return TITLES.get(reason, OTHERWISE)
