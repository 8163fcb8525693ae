"""What the read models must show, worked out anew from the events alone, without a line of the services' own code.

Only what an event counted twice, or not at all, would change: steps, attempts, sums, who is where.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from looking import Fact

Facts = Mapping[str, Iterable[Fact]]
"""By service, each stream in its order."""
Row = tuple[Any, ...]
Shown = dict[str, tuple[tuple[str, ...], Counter[Row]]]
"""By `read_model.table`: columns, and the rows of these."""

GRID = "commongrid.grid_tasks.case"
CHINA_IS_AHEAD = timedelta(hours=8)


def shown(facts: Facts) -> dict[str, Shown]:
    """What each service must show, by service."""
    cases, roster = _cases(facts), _roster(facts)
    return {
        "registry": _registry(facts, roster),
        "grid_tasks": _grid_tasks(cases, roster, facts),
        "assessment": {"outcomes.outcome": _outcomes(facts), "members.member": _known_members(roster)},
        "notifications": _notifications(facts, cases, roster),
    }


def told(facts: Facts, service: str, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of a kind: what happened, and what it says."""
    prefix = f"commongrid.{service}.{kind}."
    for fact in facts.get(service, ()):
        if fact.type.startswith(prefix):
            yield fact.type.removeprefix(prefix).removesuffix(".v1"), fact.json()


def _cases(facts: Facts) -> dict[str, dict[str, Any]]:
    cases: dict[str, dict[str, Any]] = {}
    for what, said in told(facts, "grid_tasks", "case"):
        case = cases.setdefault(said["case"], {"worker": None, "attempt": 1, "rating": None, "escalated": False})
        match what:
            case "reported":
                case |= {name: said[name] for name in ("case", "category", "grid")} | {"step": "reported"}
            case "accepted":
                case["step"] = "accepted"
            case "dispatched":
                case |= {"step": "dispatched", "worker": said["worker"]}
            case "sent_back":
                case |= {"step": "dispatched", "attempt": case["attempt"] + 1}
            case "started" | "handed_in" | "closed":
                case["step"] = what
            case "rated":
                case["rating"] = said["rating"]
            case "escalated":
                case["escalated"] = True
            case _:
                pass
    return cases


def _roster(facts: Facts) -> dict[str, dict[str, Any]]:
    members: dict[str, dict[str, Any]] = {}
    for what, said in told(facts, "registry", "member"):
        if what == "dismissed":
            members[said["member"]]["in_post"] = False
        else:
            members[said["member"]] = {**said, "in_post": True}
    return members


def _grid_tasks(cases: Mapping[str, dict[str, Any]], roster: Mapping[str, dict[str, Any]], facts: Facts) -> Shown:
    columns = ("case_id", "grid", "step", "worker", "attempt", "rating", "escalated")
    board = Counter(
        (id_, *(case[name] for name in ("grid", "step", "worker", "attempt", "rating", "escalated")))
        for id_, case in cases.items()
    )
    open_ = Counter(
        (id_, case["worker"], case["step"] in ("dispatched", "started"))
        for id_, case in cases.items()
        if case["step"] not in ("reported", "closed")
    )
    return {
        "case_board.board_case": (columns, board),
        "open_work.open_case": (("case_id", "worker", "in_hand"), open_),
        "workers.member": (("member", "grid"), _in_post(roster)),
        "duties.duty": (("category",), _names(facts, "duty", "category")),
        "grids.grid_area": (("grid",), _grids(facts)),
    }


def _registry(facts: Facts, roster: Mapping[str, dict[str, Any]]) -> Shown:
    return {
        "people.person": (("id",), _names(facts, "person", "person")),
        "households.household": (("id",), _names(facts, "household", "household")),
        "territory.address": (("id",), _names(facts, "address", "address")),
        "units.unit": (("id",), _names(facts, "unit", "unit")),
        "roster.member": (("id", "grid"), _in_post(roster)),
    }


def _in_post(roster: Mapping[str, dict[str, Any]]) -> Counter[Row]:
    return Counter((id_, member["grid"]) for id_, member in roster.items() if member["in_post"])


def _names(facts: Facts, kind: str, name: str) -> Counter[Row]:
    return Counter({(said[name],) for _, said in told(facts, "registry", kind)})


def _grids(facts: Facts) -> Counter[Row]:
    return Counter({(grid["grid"],) for _, said in told(facts, "registry", "map") for grid in said["drawn"]})


def _outcomes(facts: Facts) -> tuple[tuple[str, ...], Counter[Row]]:
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    for what, said in told(facts, "grid_tasks", "case"):
        if what == "closed":
            add = [1, said["on_time"], said["first_attempt"], 0, 0]
            closed_at = said["at"]
        elif what == "rated":
            add = [0, 0, 0, 1, said["rating"]]
            closed_at = said["closed_at"]
        else:
            continue
        key = (_month(closed_at), said["worker"])
        sums[key] = [one + other for one, other in zip(sums[key], add, strict=True)]
    columns = ("month", "worker", "closed", "on_time", "first_attempt", "ratings", "rating_sum")
    return columns, Counter((*key, *sum_) for key, sum_ in sums.items())


def _month(at: str) -> str:
    moment = datetime.fromisoformat(at)
    return (moment - (moment.utcoffset() or timedelta()) + CHINA_IS_AHEAD).strftime("%Y-%m")


def _known_members(roster: Mapping[str, dict[str, Any]]) -> tuple[tuple[str, ...], Counter[Row]]:
    return ("id", "in_post"), Counter((id_, member["in_post"]) for id_, member in roster.items())


def _notifications(facts: Facts, cases: Mapping[str, dict[str, Any]], roster: Mapping[str, dict[str, Any]]) -> Shown:
    board: dict[str, tuple[str, int]] = {}
    for what, said in told(facts, "notifications", "notification"):
        state, attempts = board.get(said["notification"], ("", 0))
        match what:
            case "requested":
                state, attempts = "waiting", 0
            case "delayed":
                state, attempts = "waiting", said["attempts"]
            case "resumed":
                state, attempts = "waiting", 0
            case "withdrawn":
                state = "withdrawn"
            case _:
                state, attempts = what, said["attempts"]
        board[said["notification"]] = state, attempts
    contacts = Counter((id_, not member["in_post"]) for id_, member in roster.items())
    return {
        "notification_board.notification": (
            ("id", "state", "attempts"),
            Counter((id_, *stands) for id_, stands in board.items()),
        ),
        "cases.reported_case": (("case_id",), Counter((id_,) for id_ in cases)),
        "contacts.contact": (("member", "dismissed"), contacts),
        "categories.category_title": (("category",), _names(facts, "duty", "category")),
    }
