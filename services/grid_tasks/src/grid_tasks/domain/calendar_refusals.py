"""Why the notice of a year is not taken: it contradicts itself. Each names the day."""

from datetime import date

from events import Refused


class DayOfAnotherYear(Refused):
    """A notice speaks of its own year, and at most of the December before."""

    reason = "day-of-another-year"

    def __init__(self, day: date, year: int) -> None:
        super().__init__(
            f"{day} is not a day of {year}, nor of the December before",
            day=day.isoformat(),
            message_zh=f"{day} 不在 {year} 年内，也不在上一年十二月",
        )


class EndsBeforeItBegins(Refused):
    """A holiday has a first day and a last."""

    reason = "ends-before-it-begins"

    def __init__(self, first: date, last: date) -> None:
        super().__init__(
            f"a holiday from {first} to {last} ends before it begins",
            day=first.isoformat(),
            message_zh=f"假期自 {first} 至 {last}，结束早于开始",
        )


class DayTwice(Refused):
    """A day stands in one holiday, or once among the working days."""

    reason = "day-twice"

    def __init__(self, day: date) -> None:
        super().__init__(
            f"{day} is named twice; holidays that fall together are one, with a name for both",
            day=day.isoformat(),
            message_zh=f"{day} 重复出现；相连的节日请合并为一项（如“国庆节、中秋节”）",
        )


class OffAndWorked(Refused):
    """A day is off or worked."""

    reason = "off-and-worked"

    def __init__(self, day: date) -> None:
        super().__init__(
            f"{day} cannot be a day off and a working day",
            day=day.isoformat(),
            message_zh=f"{day} 不能既放假又上班",
        )


class NotOfAWeekend(Refused):
    """Monday to Friday are worked anyway."""

    reason = "not-of-a-weekend"

    def __init__(self, day: date) -> None:
        super().__init__(
            f"{day} is no Saturday or Sunday, and worked anyway: check the date",
            day=day.isoformat(),
            message_zh=f"{day} 不是周六或周日，本来就是工作日；请核对日期",
        )
