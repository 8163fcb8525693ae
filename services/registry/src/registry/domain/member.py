"""Someone in a post (在岗人员): grid instructor, leader or worker, community police officer or auxiliary."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.common import Post
from contracts.registry import MemberAppointed, MemberChanged, MemberDismissed, MemberFacts
from events import Aggregate, Event, Refused

from registry.domain.contact import HOURS_OF_A_WEEK, is_email, is_phone
from registry.domain.entry import Register, completed, entered, latest
from registry.domain.faults import Fault, Why

IN_A_GRID = (Post.GRID_INSTRUCTOR, Post.GRID_LEADER, Post.GRID_WORKER)


@dataclass(frozen=True, slots=True)
class Dismiss:
    """They leave their post."""


class NotInPost(Refused):
    """They have left their post already."""

    reason = "not-in-post"


def check_member(facts: MemberFacts) -> None:
    """Raises Fault."""
    if facts.post in IN_A_GRID and not facts.grid:
        raise Fault("grid", Why.MISSING)
    if facts.hours and not HOURS_OF_A_WEEK.fullmatch(facts.hours):
        raise Fault("hours", Why.HOURS)
    if facts.on_leave_until and not (facts.on_leave_since and facts.on_leave_since <= facts.on_leave_until):
        raise Fault("on_leave_since", Why.MISSING)
    if not is_email(facts.email):
        raise Fault("email", Why.EMAIL)
    if facts.phone and not is_phone(facts.phone):
        raise Fault("phone", Why.PHONE)


def decide(known: MemberFacts | MemberDismissed | None, command: Register[MemberFacts] | Dismiss) -> Sequence[Event]:
    """Who is in which post. Who left it may be appointed again."""
    in_post = known if isinstance(known, MemberFacts) else None
    match command:
        case Register():
            facts = completed(in_post, command)
            check_member(facts)
            return entered(in_post, facts, MemberAppointed, MemberChanged)
        case Dismiss():
            if in_post is None:
                raise NotInPost("they are in no post")
            return [MemberDismissed(member=in_post.member)]


MEMBER = Aggregate("member", None, decide, latest, (MemberAppointed, MemberChanged, MemberDismissed))
