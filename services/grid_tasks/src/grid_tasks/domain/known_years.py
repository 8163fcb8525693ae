"""The notices that are known from the start (节假日安排): a year that somebody enters takes the place of one of these.

The dates are those of the package chinesecalendar 1.11.0, held against the notices' own words. Of 2027 it has nothing.
"""

from datetime import date

from contracts.common import Title
from contracts.grid_tasks import Holiday

from grid_tasks.domain.calendar_year import YearNotice

NEW_YEAR = Title(zh="元旦", en="New Year's Day")
SPRING = Title(zh="春节", en="Spring Festival")
QINGMING = Title(zh="清明节", en="Qingming Festival")
LABOUR = Title(zh="劳动节", en="Labour Day")
DRAGON_BOAT = Title(zh="端午节", en="Dragon Boat Festival")
MID_AUTUMN = Title(zh="中秋节", en="Mid-Autumn Festival")
NATIONAL = Title(zh="国庆节", en="National Day")
NATIONAL_AND_MID_AUTUMN = Title(zh="国庆节、中秋节", en="National Day and Mid-Autumn Festival")


def _off(name: Title, first: date, last: date | None = None) -> Holiday:
    return Holiday(name=name, first=first, last=last or first)


KNOWN_YEARS = (
    YearNotice(
        2025,
        notice="国办发明电〔2024〕12号",
        source="https://www.gov.cn/zhengce/zhengceku/202411/content_6986383.htm",
        holidays=(
            _off(NEW_YEAR, date(2025, 1, 1)),
            _off(SPRING, date(2025, 1, 28), date(2025, 2, 4)),
            _off(QINGMING, date(2025, 4, 4), date(2025, 4, 6)),
            _off(LABOUR, date(2025, 5, 1), date(2025, 5, 5)),
            _off(DRAGON_BOAT, date(2025, 5, 31), date(2025, 6, 2)),
            _off(NATIONAL_AND_MID_AUTUMN, date(2025, 10, 1), date(2025, 10, 8)),
        ),
        working_days=(
            date(2025, 1, 26),
            date(2025, 2, 8),
            date(2025, 4, 27),
            date(2025, 9, 28),
            date(2025, 10, 11),
        ),
    ),
    YearNotice(
        2026,
        notice="国办发明电〔2025〕7号",
        source="https://www.gov.cn/zhengce/zhengceku/202511/content_7047091.htm",
        holidays=(
            _off(NEW_YEAR, date(2026, 1, 1), date(2026, 1, 3)),
            _off(SPRING, date(2026, 2, 15), date(2026, 2, 23)),
            _off(QINGMING, date(2026, 4, 4), date(2026, 4, 6)),
            _off(LABOUR, date(2026, 5, 1), date(2026, 5, 5)),
            _off(DRAGON_BOAT, date(2026, 6, 19), date(2026, 6, 21)),
            _off(MID_AUTUMN, date(2026, 9, 25), date(2026, 9, 27)),
            _off(NATIONAL, date(2026, 10, 1), date(2026, 10, 7)),
        ),
        working_days=(
            date(2026, 1, 4),
            date(2026, 2, 14),
            date(2026, 2, 28),
            date(2026, 5, 9),
            date(2026, 9, 20),
            date(2026, 10, 10),
        ),
    ),
)
