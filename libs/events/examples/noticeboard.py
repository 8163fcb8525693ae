"""A complete fifth service: a noticeboard (公告栏). Notices are posted, can be withdrawn, and expire by themselves."""

from dataclasses import dataclass
from datetime import datetime

from events import (
    Aggregate,
    Batch,
    Cancel,
    Commands,
    Connection,
    Database,
    Due,
    Event,
    Policy,
    ReadModel,
    Recorded,
    Refused,
    Service,
    Timer,
)
from pydantic import AwareDatetime

# Events: what happened, in the past tense. They are data for ever.


class NoticePosted(Event, type="commongrid.noticeboard.notice.posted.v1"):
    """Somebody put up a notice."""

    notice: str
    title: str
    until: AwareDatetime


class NoticeWithdrawn(Event, type="commongrid.noticeboard.notice.withdrawn.v1"):
    """It hangs there no longer."""

    notice: str
    reason: str


# The domain: what may be done, decided on the present state. Pure functions.


@dataclass(frozen=True)
class Notice:
    """The state of a notice."""

    posted: bool = False
    hangs: bool = False


@dataclass(frozen=True)
class Post:
    """Put up a notice until a day."""

    notice: str
    title: str
    until: datetime


@dataclass(frozen=True)
class Withdraw:
    """Take it down."""

    notice: str
    reason: str


class NotHanging(Refused):
    """There is nothing to take down."""

    reason = "not-hanging"


def decide(notice: Notice, command: Post | Withdraw) -> list[Event]:
    match command:
        case Post(id, title, until):
            return [] if notice.posted else [NoticePosted(notice=id, title=title, until=until)]
        case Withdraw(id, reason):
            if not notice.hangs:
                raise NotHanging("this notice does not hang here any more; post it anew if it is needed")
            return [NoticeWithdrawn(notice=id, reason=reason)]


def evolve(notice: Notice, event: Event) -> Notice:
    match event:
        case NoticePosted():
            return Notice(posted=True, hangs=True)
        case NoticeWithdrawn():
            return Notice(posted=True, hangs=False)
        case _:
            return notice


NOTICE = Aggregate("notice", initial=Notice(), decide=decide, evolve=evolve, events=(NoticePosted, NoticeWithdrawn))

# A read model: its tables, the SQL that follows the events, and its queries, side by side.

hanging = ReadModel("hanging", tables="create table hanging_notice (notice text primary key, title text not null)")


@hanging.on(NoticePosted)
async def posted(db: Connection, events: Batch[NoticePosted]) -> None:
    await db.execute(
        "insert into hanging_notice select * from unnest($1::text[], $2::text[])",
        events.column("notice"),
        events.column("title"),
    )


@hanging.each(NoticeWithdrawn)
async def withdrawn(db: Connection, event: Recorded[NoticeWithdrawn]) -> None:
    await db.execute("delete from hanging_notice where notice = $1", event.data.notice)


async def titles(db: Database) -> list[str]:
    """The titles of all notices that hang there, in order."""
    return [row["title"] for row in await db.fetch("select title from hanging_notice order by title")]


# A policy: when this happened, then do that. Here by a timer, which commits with the event that sets it.

expiring = Policy("expiring")


@expiring.timer(NoticePosted)
def at_its_end(event: NoticePosted) -> Timer:
    return Timer("expire", due=event.until)


@expiring.timer(NoticeWithdrawn)
def no_more(event: NoticeWithdrawn) -> Cancel:
    return Cancel("expire")


@expiring.due("expire")
async def expire(commands: Commands, due: Due) -> None:
    await commands.execute(NOTICE, due.id, Withdraw(due.id, reason="expired"))


# The whole service at a glance.

noticeboard = Service("noticeboard", aggregates=[NOTICE], read_models=[hanging], policies=[expiring])
