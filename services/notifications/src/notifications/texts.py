"""What a message says, in Chinese and English.

It names the case, its category, grid and deadline, and what to do next; never what the reporter wrote, and nobody's
name. Times are shown as in Beijing. Templates are ours, so plain `str.format` is enough.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from contracts.common import Title
from contracts.notifications import Occasion

BEIJING = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a text may say of a case."""

    case: str
    category: Title
    grid: str
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A message in both languages."""

    subject: Title
    body: Title


@dataclass(frozen=True, slots=True)
class _Template:
    subject_zh: str
    subject_en: str
    opening_zh: str
    opening_en: str
    next_zh: str
    next_en: str


TEMPLATES = {
    Occasion.CASE_DISPATCHED: _Template(
        "新派遣：{zh}（{grid}）",
        "New case: {en} ({grid})",
        "有一件事件派遣给您处置。",
        "A case has been dispatched to you.",
        "请前往现场处置，并在时限前反馈处置结果。",
        "Please go there, deal with it, and hand in the result before the deadline.",
    ),
    Occasion.CASE_SENT_BACK: _Template(
        "返工：{zh}（{grid}）",
        "Sent back: {en} ({grid})",
        "您反馈的事件未通过核查，已退回返工。",
        "The case that you handed in did not pass verification and was sent back to you.",
        "请查看退回原因，再次处置，并在新的时限前反馈。",
        "Please look at the reason, deal with it again, and hand it in before the new deadline.",
    ),
    Occasion.CASE_TAKEN_OVER: _Template(
        "接手：{zh}（{grid}）",
        "Yours now: {en} ({grid})",
        "原经办人已不在岗，一件挂起的事件现由您接手，时限暂停计算。",
        "Whoever had this case is no longer there for it, and it is yours now. Its clock stands.",
        "请先了解情况；恢复办理后重新计算时限。",
        "Please get to know it. Its whole time begins when it goes on.",
    ),
    Occasion.CASE_ESCALATED: _Template(
        "督办：{zh}（{grid}）已超时",
        "Overdue: {en} ({grid})",
        "您网格内有一件事件超过时限仍未反馈，现提请督办。",
        "A case in your grid was not handed in by its deadline.",
        "请联系该网格员了解情况，必要时协助处置。",
        "Please get in touch with the grid worker, and help where needed.",
    ),
    Occasion.CASE_LATE: _Template(
        "已超时：{zh}（{grid}）",
        "Late: {en} ({grid})",
        "您在办的一件事件已超过时限，并已报告网格长。",
        "A case that you have is past its deadline, and the grid leader has been told.",
        "请尽快反馈处置结果；遇到困难的，请与网格长联系。",
        "Please hand in the result soon, or tell the grid leader what keeps you from it.",
    ),
    Occasion.CASE_WITH_NOBODY: _Template(
        "无人在岗：{zh}（{grid}）",
        "Nobody there: {en} ({grid})",
        "有一件事件无人在岗可以办理，正等待派遣。",
        "A case waits, and nobody is in post to whom it could be given.",
        "请安排人员到岗，或派遣、转派给他人。",
        "Please see that somebody is appointed there, or dispatch it or hand it over to somebody else.",
    ),
    Occasion.CASE_UNCHECKED: _Template(
        "待核查：{zh}（{grid}）已超时",
        "Not verified yet: {en} ({grid})",
        "您网格内有一件事件已反馈，超过核查时限仍无人核查。",
        "A case in your grid was handed in, and nobody has said in time whether it is done.",
        "请核查或返工；如您参与过处置，请由他人核查。",
        "Please verify it or send it back. If you had a part in it, somebody else is to verify it.",
    ),
    Occasion.CASE_WARNED: _Template(
        "即将到期：{zh}（{grid}）",
        "Due soon: {en} ({grid})",
        "您在办的一件事件即将到期。",
        "The deadline of a case that you have is near.",
        "请在时限前反馈处置结果；确有需要的，可申请延期。",
        "Please hand in the result before the deadline, or ask for more time if it is needed.",
    ),
    Occasion.CASE_RETURNED: _Template(
        "退回待派：{zh}（{grid}）",
        "Given back: {en} ({grid})",
        "您网格内的一件事件被退回，正等待重新派遣。",
        "A case in your grid was given back and waits to be dispatched.",
        "请查看退回原因，另行派遣或转派。",
        "Please look at the reason, and dispatch it again or hand it over.",
    ),
    Occasion.CASE_HELP_ASKED: _Template(
        "协办：{zh}（{grid}）",
        "Your help is asked for: {en} ({grid})",
        "请您协助处置一件事件。",
        "You are asked to do a part of a case.",
        "请与主办人联系，完成后反馈；不能协助的请说明原因。",
        "Please get in touch with who has it, and say when your part is done, or why it cannot be.",
    ),
    Occasion.CASE_QUESTION: _Template(
        "请补充您上报的事件：{zh}",
        "A question about the case you reported: {en}",
        "处置您上报的事件需要您补充说明，时限暂停计算。",
        "To deal with the case that you reported, something has to be asked of you. It waits for your answer.",
        "请凭上报回执查看问题并补充。",
        "With the receipt of your report you can see the question, and answer it.",
    ),
    Occasion.CASE_REFUSED: _Template(
        "您上报的事件未予受理：{zh}",
        "The case you reported was not taken on: {en}",
        "您上报的事件未予受理。",
        "The case that you reported was not taken on.",
        "您可以凭上报回执查看原因，以及应由哪个单位办理。",
        "With the receipt of your report you can see why, and whose it is.",
    ),
    Occasion.CASE_MERGED: _Template(
        "您上报的事件已并案办理：{zh}",
        "The case you reported is dealt with together with another: {en}",
        "您上报的事件与另一件事件反映同一情况，已并案办理。",
        "The case that you reported is the same as another one, and is dealt with together with it.",
        "并案办理的事件结案后，我们会告知您；无需再次上报。",
        "You will be told when that one is closed. There is no need to report it again.",
    ),
    Occasion.CASE_CLOSED: _Template(
        "您上报的事件已结案：{zh}",
        "The case you reported is closed: {en}",
        "您上报的事件已处置、核查并结案。感谢您的参与。",
        "The case that you reported was dealt with, verified and closed. Thank you for taking part.",
        "您可以凭上报回执查看经过，并作出满意度评价。",
        "With the receipt of your report you may see how it went, and say how satisfied you are.",
    ),
}


def text(occasion: Occasion, facts: Facts) -> Text:
    """The message for this occasion."""
    template = TEMPLATES[occasion]
    names = {"zh": _line(facts.category.zh), "en": _line(facts.category.en), "grid": facts.grid}
    zh = [template.opening_zh, "", f"事件编号：{facts.case}", f"类别：{names['zh']}", f"网格：{facts.grid}"]
    en = [template.opening_en, "", f"Case: {facts.case}", f"Category: {names['en']}", f"Grid: {facts.grid}"]
    if facts.due:
        due = facts.due.astimezone(BEIJING)
        zh.append(f"时限：{due:%Y-%m-%d %H:%M}（北京时间）")
        en.append(f"Deadline: {due:%Y-%m-%d %H:%M} (Beijing time)")
    return Text(
        subject=Title(zh=template.subject_zh.format(**names), en=template.subject_en.format(**names)),
        body=Title(zh="\n".join([*zh, "", template.next_zh]), en="\n".join([*en, "", template.next_en])),
    )


def _line(words: str) -> str:
    return " ".join(words.split())  # a line break in a subject would be another header
