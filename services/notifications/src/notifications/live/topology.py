"""Who publishes and who follows what, as the live view draws it: the one place where it is written down.

The topics come from the published language. `FOLLOWED` repeats what each service's read models and policies follow;
`tests/` of the repository holds it against the services themselves, so that the picture stays true.
"""

from types import ModuleType
from typing import Any

import contracts.assessment
import contracts.grid_tasks
import contracts.notifications
import contracts.registry
from events import Event
from events.event import aggregate_of, service_of

from notifications.domain.subscription import TYPES

SERVICES = {
    "registry": ("登记中心", "一标三实 · registers"),
    "grid_tasks": ("网格事务", "事件流转 · cases"),
    "assessment": ("考核公示", "上墙公示 · the board"),
    "notifications": ("通知", "告知 · telling people"),
}

AGGREGATES = {
    "address": "地址",
    "building": "房屋",
    "household": "户",
    "person": "人口",
    "unit": "单位",
    "map": "网格",
    "member": "在岗人员",
    "duty": "责任清单",
    "power": "权力清单",
    "case": "事件",
    "patrol": "巡查",
    "campaigns": "联合行动",
    "overreach": "超范围要求",
    "period": "考核周期",
    "notification": "通知",
    "disclosure": "查阅",
    "erasure": "删除",
}

HAPPENED = {
    "registered": "登记",
    "changed": "变更",
    "redrawn": "重划",
    "disputed": "分歧",
    "merged": "合并",
    "unmerged": "拆分",
    "appointed": "任职",
    "dismissed": "离任",
    "listed": "列入",
    "reported": "上报",
    "accepted": "受理",
    "dispatched": "派遣",
    "started": "处置",
    "handed_in": "反馈",
    "sent_back": "返工",
    "verified": "核查",
    "closed": "结案",
    "rated": "评价",
    "placed": "定位",
    "place_corrected": "改正位置",
    "walked": "巡查",
    "budgeted": "核定工时",
    "asked": "申请",
    "approved": "批准",
    "refused": "不予受理",
    "handed_over": "转派",
    "returned": "退回",
    "help_asked": "协办",
    "help_given": "协办反馈",
    "time_asked": "申请延期",
    "time_given": "批准延期",
    "time_refused": "不批准延期",
    "urgency_changed": "加急、减缓",
    "paused": "挂起",
    "answered": "补充",
    "paper_done": "补录",
    "look_asked": "抽查",
    "looked": "复核",
    "reopened": "重开",
    "taken_up": "恢复办理",
    "warned": "预警",
    "escalated": "督办",
    "published": "公示",
    "requested": "请求",
    "delivered": "送达",
    "delayed": "延后",
    "parked": "搁置",
    "resumed": "恢复",
    "withdrawn": "撤回",
    "erased": "删除",
    "text_erased": "到期删除",
    "held": "留存",
    "released": "解除留存",
    "made": "留痕",
    "confirmed": "确认",
}


def published(module: ModuleType) -> list[type[Event]]:
    """The events that this module of the published language holds."""
    return [
        it for it in vars(module).values() if isinstance(it, type) and issubclass(it, Event) and "type_name" in vars(it)
    ]


UNSHOWN = (
    "audit",
    "correction",
    "disclosure",
    "due",
    "erasure",
    "evidence",
    "import",
    "sample",
    "subscription",
    "visit",
    "whereabouts",
)
"""Anybody may look on here; who was refused what, who looked at whom, who was corrected, erased or is to be visited is
not for anybody; nor is the id of a photo, by which whoever sent it puts it into a report; nor where partners live."""
TOO_MANY = ("grid", "street", "source_rules", "quality", "calendar", "round", "campaigns", "overreach", "patrol")
"""Seldom, or of older stores: the picture is for the daily work."""

ON_THE_WAY = frozenset(
    {
        "answered",
        "help_asked",
        "help_given",
        "handed_over",
        "look_asked",
        "looked",
        "merged",
        "paper_done",
        "paused",
        "placed",
        "place_corrected",
        "refused",
        "reopened",
        "resumed",
        "returned",
        "taken_over",
        "taken_up",
        "time_asked",
        "time_given",
        "time_refused",
        "urgency_changed",
        "warned",
        "withdrawn",
    }
)
"""What happens to a case now and then: the picture shows the steps that every case takes."""

EVENTS = [
    event
    for module in (contracts.registry, contracts.grid_tasks, contracts.assessment, contracts.notifications)
    for event in published(module)
    if aggregate_of(event.type_name) not in (*UNSHOWN, *TOO_MANY)
    and not (aggregate_of(event.type_name) == "case" and event.type_name.split(".")[3] in ON_THE_WAY)
]

TOPICS = list(dict.fromkeys(f"{service_of(it.type_name)}.{aggregate_of(it.type_name)}" for it in EVENTS))
"""All topics, without the prefix: `registry.address`."""

AUTHORITY = (
    "registry.power.listed",
    "registry.power.changed",
    "registry.power.withdrawn",
    "registry.member.appointed",
    "registry.member.changed",
    "registry.member.dismissed",
    "registry.grid.drawn",
    "registry.grid.redrawn",
    "registry.map.redrawn",
)
"""What everybody goes by: who may do what, who is in which post, and which grids there are."""

FOLLOWED: dict[str, tuple[str, ...]] = {
    "registry": (
        "grid_tasks.visit.done",
        "grid_tasks.visit.moved_away",
        "grid_tasks.erasure.confirmed",
        "assessment.erasure.confirmed",
        "notifications.erasure.confirmed",
    ),
    "grid_tasks": (
        *AUTHORITY,
        "registry.person.erased",
        "registry.duty.listed",
        "registry.duty.changed",
        "registry.due.noticed",
        "registry.due.passed",
        "registry.due.settled",
        "registry.sample.drawn",
        "registry.whereabouts.told",
    ),
    "assessment": (
        *AUTHORITY,
        "registry.person.erased",
        "grid_tasks.case.closed",
        "grid_tasks.case.reopened",
        "grid_tasks.case.rated",
    ),
    "notifications": (
        *AUTHORITY,
        "registry.person.erased",
        "registry.duty.listed",
        "registry.duty.changed",
        *sorted(".".join(it.split(".")[1:4]) for it in TYPES),
        "grid_tasks.case.warned",
        "grid_tasks.case.help_asked",
        "grid_tasks.case.text_erased",
    ),
}
"""What each service follows of the others, in the newest version."""


def followers(type_name: str) -> list[str]:
    """The services that follow this event type."""
    happened = ".".join(type_name.split(".")[1:4])
    return [service for service, followed in FOLLOWED.items() if happened in followed]


def topology() -> dict[str, Any]:
    """What the page needs to draw the picture."""
    return {
        "services": [
            {
                "name": name,
                "zh": zh,
                "says": says,
                "aggregates": [topic.partition(".")[2] for topic in TOPICS if topic.startswith(f"{name}.")],
            }
            for name, (zh, says) in SERVICES.items()
        ],
        "followers": {event.type_name: followers(event.type_name) for event in EVENTS},
        "words": AGGREGATES | HAPPENED,
    }
