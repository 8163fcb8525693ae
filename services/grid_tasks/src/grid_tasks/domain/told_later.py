"""What was done without a network and is told later (离线办理): which times of a phone are believed, and what counts.

The clock of a phone may be wrong by any amount, and may be set by who wants to seem in time. What is known for sure is
when the phone and we last spoke, as our own token says it, and now: what was done without a network was done between.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.common import Title

SLACK = timedelta(minutes=2)
"""By so much a believed time may lie outside: the way of a message, and a clock that drifts for a day or two."""
REMEMBERED = timedelta(days=30)
"""As long as a command's id is remembered, and no longer: after that its phone is one that we have never spoken to."""


class Judgement(StrEnum):
    """What became of a phone's time."""

    NONE = "none"  # it told none: what arrives counts as done now
    BELIEVED = "believed"
    SET_RIGHT = "set_right"  # its clock was wrong, by as much as it was when it told us
    IN_THE_FUTURE = "in_the_future"
    BEFORE_LAST_CONTACT = "before_last_contact"
    NO_CONTACT = "no_contact"


SAID = {
    Judgement.SET_RIGHT: Title(
        zh="手机时间不准，已按服务器时间校正", en="The phone's clock was wrong; it was set right"
    ),
    Judgement.IN_THE_FUTURE: Title(
        zh="手机时间晚于现在，不予采信，以到达时间为准",
        en="The phone's time is in the future: the time of arrival counts",
    ),
    Judgement.BEFORE_LAST_CONTACT: Title(
        zh="手机时间早于上次联网，不予采信，以到达时间为准",
        en="The phone's time is before it last had a network: the time of arrival counts",
    ),
    Judgement.NO_CONTACT: Title(
        zh="此前三十天内没有本机联网记录，以到达时间为准",
        en="This phone has not been in contact in the last thirty days: the time of arrival counts",
    ),
}
"""For people; of the others there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Judged:
    """When it was done, if the phone is believed (None: now), and why."""

    done_at: datetime | None
    why: Judgement


def judged(told: datetime | None, sent_at: datetime, contact: datetime | None, now: datetime) -> Judged:
    """A phone's time `told`, in a message that it sent at `sent_at` by the same clock, and that arrives now. `contact`
    is when we last spoke before that was done; None if that is not known."""
    if told is None:
        return Judged(None, Judgement.NONE)
    if contact is None or contact < now - REMEMBERED:
        return Judged(None, Judgement.NO_CONTACT)
    ago = sent_at - told  # the difference of two readings of one clock: what it shows does not matter
    if ago < -SLACK:
        return Judged(None, Judgement.IN_THE_FUTURE)
    if ago > now - contact + SLACK:
        return Judged(None, Judgement.BEFORE_LAST_CONTACT)
    wrong = abs(now - sent_at) > SLACK
    return Judged(max(contact, min(now, now - ago)), Judgement.SET_RIGHT if wrong else Judgement.BELIEVED)


def when_done(told: datetime | None, at: datetime, *after: datetime | None) -> datetime | None:
    """When a step was done that arrives at `at`: not before what came before it in its case (`after`). None: when it
    arrived."""
    if told is None:
        return None
    found = max(told, *(it for it in after if it)) if any(after) else told
    return found if found < at else None
