"""The way of a case as data (办理流程): which moves there are, from where, where they lead, and whose they are.

The one place that says so: commands are held against it, refusals and answers quote it, and the picture in the README
is drawn from it. The flow is that of GB/T 34300-2017, with what happens on the way in life.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum


class Step(StrEnum):
    """Where a case stands. A case that was sent back is dispatched again, with a higher attempt."""

    REPORTED = "reported"  # 上报; without a grid it waits at the desk
    ACCEPTED = "accepted"  # 受理: it waits for somebody to have it
    DISPATCHED = "dispatched"  # 派遣
    STARTED = "started"  # 处置
    PAUSED = "paused"  # 挂起: its clock stands
    HANDED_IN = "handed_in"  # 反馈
    VERIFIED = "verified"  # 核查; if it was drawn, a second person is to look at it
    CLOSED = "closed"  # 结案
    REFUSED = "refused"  # 不予受理
    WITHDRAWN = "withdrawn"  # 撤回; 销案 where a rule had reported it
    MERGED = "merged"  # 并案: another one goes on for it


ENDS = frozenset({Step.CLOSED, Step.REFUSED, Step.WITHDRAWN, Step.MERGED})
"""Nobody has anything to do with it any more."""


class Actor(StrEnum):
    """Whose a move is."""

    RULE = "rule"
    REPORTER = "reporter"  # who shows the receipt
    WORKER = "worker"  # who has it
    HELPER = "helper"  # who was asked to help
    IN_POST = "in_post"  # whoever handles cases in its grid
    LEADER = "leader"  # who holds cases.dispatch there
    VERIFIER = "verifier"  # who holds cases.verify there, and has not handled it


@dataclass(frozen=True, slots=True)
class Move:
    """Something that can be done: from which steps, and where each may lead; nowhere, if the step stays as it is."""

    name: str
    zh: str
    ways: Mapping[Step, tuple[Step, ...]]
    by: Actor

    @property
    def since(self) -> frozenset[Step]:
        """From where it is possible."""
        return frozenset(self.ways)

    def may_lead(self, since: Step, to: Step) -> bool:
        """Whether it may lead from the one to the other."""
        return to in (self.ways[since] or (since,))


REPORTED, ACCEPTED, DISPATCHED, STARTED = Step.REPORTED, Step.ACCEPTED, Step.DISPATCHED, Step.STARTED
PAUSED, HANDED_IN, VERIFIED, CLOSED = Step.PAUSED, Step.HANDED_IN, Step.VERIFIED, Step.CLOSED
IN_HAND = (DISPATCHED, STARTED)
TO_CHECK = (HANDED_IN, VERIFIED)
OPEN = (REPORTED, ACCEPTED, DISPATCHED, STARTED, PAUSED)


def _move(
    name: str, zh: str, since: tuple[Step, ...], to: Step | None, by: Actor, *, or_to: Step | None = None
) -> Move:
    return Move(name, zh, dict.fromkeys(since, tuple(filter(None, (to, or_to)))), by)


def _answer() -> Move:
    """What waits for its reporter goes on with their answer; whatever else it is paused for, it stays so."""
    stays = _move("answer", "补充", (*OPEN, HANDED_IN), None, Actor.REPORTER)
    return replace(stays, ways={**stays.ways, PAUSED: (PAUSED, STARTED)})


MOVES: Mapping[str, Move] = {
    it.name: it
    for it in (
        _move("place", "定位", (REPORTED,), None, Actor.LEADER),
        _move("correct-place", "改正位置", (ACCEPTED, *IN_HAND, PAUSED), None, Actor.LEADER),
        _move("accept", "受理", (REPORTED,), ACCEPTED, Actor.RULE),
        _move("refuse", "不予受理", (REPORTED, ACCEPTED, DISPATCHED), Step.REFUSED, Actor.LEADER),
        _move("withdraw", "撤回", OPEN, Step.WITHDRAWN, Actor.REPORTER),
        _move("call-off", "销案", (REPORTED, ACCEPTED, DISPATCHED), Step.WITHDRAWN, Actor.RULE),
        _move("merge", "并案", (REPORTED, ACCEPTED, DISPATCHED), Step.MERGED, Actor.LEADER),
        _move("take-up", "恢复办理", (Step.MERGED,), ACCEPTED, Actor.RULE, or_to=REPORTED),
        _move("dispatch", "派遣", (ACCEPTED, *IN_HAND), DISPATCHED, Actor.LEADER),
        _move("hand-over", "转派", (ACCEPTED, *IN_HAND), ACCEPTED, Actor.LEADER),
        _move("return", "退回", IN_HAND, ACCEPTED, Actor.WORKER),
        _move("start", "处置", (DISPATCHED,), STARTED, Actor.WORKER),
        _move("act-at-once", "紧急处置", (ACCEPTED, DISPATCHED), STARTED, Actor.IN_POST),
        _move("ask-help", "协办", IN_HAND, None, Actor.WORKER),
        _move("confer", "会商", IN_HAND, None, Actor.LEADER),
        _move("give-help", "协办反馈", (*IN_HAND, PAUSED, HANDED_IN), None, Actor.HELPER),
        _move("ask-time", "申请延期", IN_HAND, None, Actor.WORKER),
        _move("give-time", "批准延期", (*IN_HAND, PAUSED), None, Actor.LEADER),
        _move("refuse-time", "不批准延期", (*IN_HAND, PAUSED), None, Actor.LEADER),
        _move("change-urgency", "加急、减缓", (ACCEPTED, *IN_HAND, PAUSED), None, Actor.LEADER),
        _move("ask-reporter", "请反映人补充", IN_HAND, PAUSED, Actor.WORKER),
        _move("pause", "挂起", IN_HAND, PAUSED, Actor.LEADER),
        _move("resume", "解挂", (PAUSED,), STARTED, Actor.LEADER),
        _answer(),
        _move("hand-in", "反馈", (STARTED,), HANDED_IN, Actor.WORKER),
        _move("do-paper", "补录", TO_CHECK, None, Actor.WORKER),
        _move("verify", "核查", (HANDED_IN,), CLOSED, Actor.VERIFIER, or_to=VERIFIED),
        _move("send-back", "返工", (HANDED_IN,), DISPATCHED, Actor.VERIFIER),
        _move("look", "复核", (VERIFIED,), CLOSED, Actor.VERIFIER, or_to=DISPATCHED),
        _move("rating", "评价", (CLOSED,), None, Actor.REPORTER),
        _move("reopen", "重开", (CLOSED,), ACCEPTED, Actor.REPORTER),
        _move("erase-text", "到期删除", tuple(ENDS), None, Actor.RULE),
        _move("follow-map", "随网格调整", (*OPEN, *TO_CHECK), None, Actor.RULE),
        _move("take-over", "接手", (PAUSED,), None, Actor.RULE),
        _move("press", "督办", (ACCEPTED, *IN_HAND, *TO_CHECK), None, Actor.RULE),
        _move("warn", "预警", IN_HAND, None, Actor.RULE),
    )
}
"""By name, in the order in which they come in a case's life."""


def moves_from(step: Step) -> list[Move]:
    """What can be done at a step by somebody, whoever it is; what rules do is not for anybody to ask for."""
    return [move for move in MOVES.values() if step in move.since and move.by is not Actor.RULE]


def diagram() -> str:
    """The way of a case as a Mermaid state diagram, drawn from `MOVES`: the moves that lead from step to step."""
    lines = ["stateDiagram-v2", "    [*] --> reported: 上报 report"]
    for move in MOVES.values():
        for since in filter(move.ways.get, Step):
            lines += [f"    {since} --> {to}: {move.zh} {move.name}" for to in move.ways[since]]
    lines += [f"    {end} --> [*]" for end in Step if end in ENDS]
    return "\n".join(lines)
