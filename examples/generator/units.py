"""The units (单位) of the community: shops, the hotel, chess rooms and foot-bath shops."""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from generator import chance
from generator.numbers import credit_code
from generator.premises import Premises

LUCKY = (
    "福来", "和顺", "聚源", "兴旺", "春晓", "永康", "鑫悦", "百味", "阿婆", "老街",
    "晨光", "乐家", "双喜", "康宁", "万家", "清泉", "桑园", "水乡", "同心", "小满",
)  # fmt: skip
TRADES = (
    "便利店", "水果店", "理发店", "五金店", "药店", "面馆", "早餐店", "洗衣店", "服装店", "修车铺",
    "文具店", "熟食店", "粮油店", "茶叶店", "手机店", "花店", "裁缝铺", "烟酒店", "家电维修部", "复印社",
)  # fmt: skip
CATEGORIES = {
    "shop": (106, TRADES),
    "hotel": (1, ("宾馆",)),
    "chess_room": (15, ("棋牌室",)),
    "foot_bath": (3, ("足浴店",)),
}
"""How many of each the paper counts, and what their names end in."""


class Unit(NamedTuple):
    """A row of `units.csv`."""

    unit_ref: str
    name: str
    category: str
    address_ref: str
    credit_code: str
    phone: str


def open_units(seed: int, premises: Premises, phones: Iterator[str]) -> list[Unit]:
    """One unit behind each shop front, each with a name of its own."""
    rng = chance(seed, "units")
    trades = [
        (category, lucky + trade)
        for category, (number, endings) in CATEGORIES.items()
        for lucky, trade in rng.sample(list(product(LUCKY, endings)), number)
    ]
    rng.shuffle(trades)
    return [
        Unit(f"U{place:03}", name, category, front, credit_code(rng, company=category == "hotel"), next(phones))
        for place, (front, (category, name)) in enumerate(zip(premises.fronts, trades, strict=True), start=1)
    ]
