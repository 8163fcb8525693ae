"""How a deadline came about (时限依据): one step after the other, for programs by kind and for people in words."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from contracts.common import DeadlineClock, Title

MINUTE = timedelta(minutes=1)
WEEKDAYS = (
    Title(zh="周一", en="Monday"),
    Title(zh="周二", en="Tuesday"),
    Title(zh="周三", en="Wednesday"),
    Title(zh="周四", en="Thursday"),
    Title(zh="周五", en="Friday"),
    Title(zh="周六", en="Saturday"),
    Title(zh="周日", en="Sunday"),
)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Cause(StrEnum):
    """Why the clock of a case stands."""

    PAUSED = "paused"  # 挂起
    WAITING_FOR_REPORTER = "waiting_for_reporter"  # 待反映人补充


CLOCKS = {
    DeadlineClock.CLOCK_HOURS: Title(zh="自然时", en="of the clock"),
    DeadlineClock.WORKING_HOURS: Title(zh="工作时", en="of working time"),
}
CAUSES = {
    Cause.PAUSED: Title(zh="挂起", en="paused"),
    Cause.WAITING_FOR_REPORTER: Title(zh="等待反映人补充", en="waiting for the reporter"),
}


@dataclass(frozen=True, slots=True)
class Allowed:
    """So much time is given."""

    clock: DeadlineClock
    minutes: int

    def said(self) -> Title:
        """In words."""
        time, clock = _long(self.minutes * MINUTE), CLOCKS[self.clock]
        return Title(zh=f"时限 {time.zh}（{clock.zh}）", en=f"{time.en} {clock.en} are given")


@dataclass(frozen=True, slots=True)
class Begun:
    """The clock begins: at `starts`, if it begins outside opening hours."""

    at: datetime
    starts: datetime

    def said(self) -> Title:
        """In words."""
        at, starts = _moment(self.at), _moment(self.starts)
        if self.starts == self.at:
            return Title(zh=f"自 {at.zh} 起计", en=f"counted from {at.en}")
        return Title(
            zh=f"{at.zh} 不在工作时间，自 {starts.zh} 起计",
            en=f"begun {at.en}, outside working hours: counted from {starts.en}",
        )


@dataclass(frozen=True, slots=True)
class OffWork:
    """A holiday (放假) lies on the way."""

    first: date
    last: date
    name: Title

    def said(self) -> Title:
        """In words."""
        first, last = _day(self.first), _day(self.last)
        if self.first == self.last:
            return Title(zh=f"{first.zh} {self.name.zh}放假", en=f"{first.en} is {self.name.en}")
        return Title(zh=f"{first.zh} 至 {last.zh} {self.name.zh}放假", en=f"{first.en} to {last.en} are {self.name.en}")


@dataclass(frozen=True, slots=True)
class Worked:
    """A day of a weekend that is worked (调休上班) lies on the way."""

    day: date

    def said(self) -> Title:
        """In words."""
        day = _weekday(self.day)
        return Title(zh=f"{day.zh} 调休上班", en=f"{day.en} is worked, for a day off elsewhere")


@dataclass(frozen=True, slots=True)
class Stood:
    """The clock stood for a while: `counted` is what of it would have counted."""

    cause: Cause
    since: datetime
    until: datetime
    counted: timedelta

    def said(self) -> Title:
        """In words."""
        time, cause, since, until = _long(self.counted), CAUSES[self.cause], _moment(self.since), _moment(self.until)
        return Title(
            zh=f"{cause.zh} {time.zh}（{since.zh} 至 {until.zh}）",
            en=f"{cause.en} {time.en} ({since.en} to {until.en})",
        )


@dataclass(frozen=True, slots=True)
class NotKnown:
    """The notice of a year that it reaches into has not been entered: its days were taken by the week alone."""

    year: int

    def said(self) -> Title:
        """In words."""
        return Title(
            zh=f"{self.year} 年放假安排尚未录入，暂按周一至周五为工作日计算",
            en=f"the holidays of {self.year} have not been entered: Monday to Friday are taken as worked",
        )


@dataclass(frozen=True, slots=True)
class Stands:
    """The clock stands: there is no deadline until it goes on."""

    cause: Cause
    since: datetime
    left: timedelta

    def said(self) -> Title:
        """In words."""
        time, cause, since = _long(self.left), CAUSES[self.cause], _moment(self.since)
        return Title(
            zh=f"自 {since.zh} 起{cause.zh}，停止计时，剩余 {time.zh}",
            en=f"{cause.en} since {since.en}: the clock stands with {time.en} left",
        )


@dataclass(frozen=True, slots=True)
class Ends:
    """The deadline."""

    due: datetime

    def said(self) -> Title:
        """In words."""
        due = _moment(self.due)
        return Title(zh=f"{due.zh} 到期", en=f"due {due.en}")


Step: TypeAlias = Allowed | Begun | OffWork | Worked | Stood | NotKnown | Stands | Ends


def _long(time: timedelta) -> Title:
    """Whole minutes, cut off."""
    hours, minutes = divmod(time // MINUTE, 60)
    if not hours:
        return Title(zh=f"{minutes} 分钟", en=f"{minutes} min")
    if not minutes:
        return Title(zh=f"{hours} 小时", en=f"{hours} h")
    return Title(zh=f"{hours} 小时 {minutes} 分钟", en=f"{hours} h {minutes} min")


def _day(day: date) -> Title:
    return Title(zh=f"{day.year}年{day.month}月{day.day}日", en=f"{day.day} {MONTHS[day.month - 1]} {day.year}")


def _weekday(day: date) -> Title:
    said, weekday = _day(day), WEEKDAYS[day.weekday()]
    return Title(zh=f"{said.zh}（{weekday.zh}）", en=f"{weekday.en} {said.en}")


def _moment(at: datetime) -> Title:
    day = _weekday(at.date())
    return Title(zh=f"{day.zh} {at:%H:%M}", en=f"{day.en} {at:%H:%M}")
