"""How good a register is (数据质量): from what is in it and who was looked at again, never from how much was typed.

Four figures, each from 0 to 1: complete (what is needed is there), fresh (confirmed within half a year), consistent (no
rule is broken), accurate (right at a random re-visit, with its confidence interval).
"""

from math import sqrt
from typing import NamedTuple

from contracts.common import Title

FRESH_DAYS = 180
"""A record that nobody has confirmed for longer is stale."""
Z = 1.959963984540054
"""The normal quantile of a 95% interval."""


class Rate(NamedTuple):
    """A share, and the interval that holds the true one with 95% confidence."""

    value: float
    low: float
    high: float
    of: int


def wilson(right: int, of: int) -> Rate | None:
    """The share of those that were right, of a random sample, with Wilson's score interval (Wilson 1927); None where
    nobody was looked at."""
    if of == 0:
        return None
    share = right / of
    middle = (share + Z * Z / (2 * of)) / (1 + Z * Z / of)
    half = Z / (1 + Z * Z / of) * sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    return Rate(share, min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half)), of)


def score(complete: float, fresh: float, consistent: float, accurate: Rate | None) -> float:
    """From 0 to 100. Accuracy counts as much as the other three together, by the lower end of its interval: who wants a
    better score has more looked at again. Without a sample it is left out."""
    plain = (complete + fresh + consistent) / 3
    return round(100 * ((plain + accurate.low) / 2 if accurate else plain), 1)


RULES: dict[str, Title] = {
    "registration_over": Title(zh="流动人口登记已过期", en="a floating registration past its date"),
    "minor_alone": Title(
        zh="未成年人不在任何户内，同址也无成年人", en="a child with no household, and no adult at the address"
    ),
    "no_head": Title(zh="户内没有户主", en="a household without a head"),
    "several_heads": Title(zh="户内有多个户主", en="a household with several heads"),
    "more_than_beds": Title(zh="居住人数多于床位数", en="more people than beds"),
    "tenants_differ": Title(
        zh="登记的承租人数与实有人数不符", en="another number of tenants than people at the address"
    ),
    "no_licence": Title(zh="旅馆没有许可证", en="a hotel with no licence"),
    "licence_over": Title(zh="许可证已过期", en="a licence past its date"),
    "check_overdue": Title(zh="消防或安全检查已逾期", en="a fire or safety check past its date"),
    "no_grid": Title(zh="地址不在任何网格内", en="an address in no grid"),
    "same_place": Title(
        zh="同一地点登记了两个地址（如两次导入同时进行）", en="a place entered twice, as by two imports at once"
    ),
    "household_elsewhere": Title(
        zh="常住人口的住址与其户的地址不同", en="a permanent resident elsewhere than their household"
    ),
}
"""What contradicts itself, by code."""
