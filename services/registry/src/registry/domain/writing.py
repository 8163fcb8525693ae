"""How people write an address, and the one way in which the registers know it again.

蚕花路６號1栋二单元三〇一室, 蚕花路6号1幢2-301 and 蚕花路6-1-2-301 are one place. What reads in two ways is not guessed
at: 蚕花路6号1-301 may be building 1 or unit 1, so its building is unclear. Of a division before the street
(浙江省湖州市…) no more is taken than that it is one: where a street lies, the division code says.
"""

import re
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from unicodedata import normalize

from registry.domain.faults import Fault, Why
from registry.domain.numerals import CHINESE, arabic

MAX_TEXT = 200
"""Characters of a written address; longer ones are none."""

SAME = str.maketrans({"號": "号", "樓": "楼", "棟": "幢", "栋": "幢", "單": "单", "層": "层", "門": "门"})
HYPHENS = re.compile(r"[‐‑‒–—―−~_/\\ー]")
BETWEEN = re.compile(r"[\s,，、。;；:：\u200b]+")

N = rf"(?:[0-9]+[A-Z]?|[A-Z][0-9]*|[甲乙丙丁戊己庚辛](?:[0-9]+|{CHINESE})?|{CHINESE})"
NUMBERED = re.compile(rf"{N}(?:-{N})*")
TOKEN = re.compile(r"([A-Z甲乙丙丁戊己庚辛]?)(.*?)([A-Z]?)")
ANNEX = re.compile(rf"({N})号?[附之]({N})号?(?![楼幢座单门层室房])")
LANE = re.compile(rf"({CHINESE})(支?弄|巷)")


@dataclass(frozen=True, slots=True)
class Parts:
    """Street or lane, number, building, unit (单元), floor and room of an address, each empty if there is none."""

    street: str
    number: str = ""
    building: str = ""
    unit: str = ""
    floor: str = ""
    room: str = ""


class Unclear(Fault):
    """This part cannot be read with certainty. `read` holds what could be read before it."""

    def __init__(self, part: str, read: Parts) -> None:
        super().__init__(part, Why.UNCLEAR)
        self.read = read


def folded(text: str) -> str:
    """The same characters for the same text: no full-width forms, no spaces, one kind of hyphen, capitals."""
    plain = normalize("NFKC", text).translate(SAME)
    return HYPHENS.sub("-", BETWEEN.sub("", plain)).upper()


ALONE = {
    "number": "号院?",
    "building": "(?:号楼|#楼|幢楼?|座|楼|#|号)",
    "unit": "(?:单元|门)",
    "floor": "(?:层|楼)",
    "room": "号?[室房]",
}
"""What may stand behind each part in a field of its own."""
WRITTEN = {"number": "号", "building": "幢", "unit": "单元", "floor": "层", "room": "室"}
"""What the registers write behind it."""


@lru_cache(1024)  # the parts of a file's addresses are mostly the same ones again
def part(name: str, text: str) -> str:
    """A part as it stands in a field of its own: 6號 as 6, 二单元 as 2. A name (裙楼, 门卫室) stays a name."""
    plain = folded(text)
    if name == "street":
        return _street(_undivided(plain))
    bare = re.sub(f"{ALONE[name]}$", "", ANNEX.sub(r"\1-\2", plain))
    return _numbers(bare) if NUMBERED.fullmatch(bare) else plain


def normalised(parts: Parts) -> Parts:
    """Each part as the registers keep it."""
    return Parts(**{it.name: part(it.name, getattr(parts, it.name)) for it in fields(parts)})


def _numbers(text: str) -> str:
    """Numbers with hyphens between, in Arabic digits without leading zeros."""
    return "-".join(_number(it) for it in text.split("-"))


def _number(text: str) -> str:
    before, digits, behind = TOKEN.fullmatch(text).groups()  # type: ignore[union-attr]  # all of it may be missing
    return f"{before}{(arabic(digits) or digits) if digits else ''}{behind}"


def key(parts: Parts) -> str:
    """Equal for what is the same place within a division; of parts that are normalised. The floor is left out where
    the room tells it: 301 is on the third."""
    return "/".join(getattr(_told(parts), it.name) for it in fields(parts))


def writing(parts: Parts) -> str:
    """The address as one writes it: 蚕花路6号1幢1单元101室."""
    told = _told(parts)
    behind = [(getattr(told, name), mark) for name, mark in WRITTEN.items()]
    return told.street + "".join(f"{it}{mark if NUMBERED.fullmatch(it) else ''}" for it, mark in behind if it)


def spelling(text: str) -> str:
    """The key of a written address; or the text itself, folded, where it is a name of another kind (桑园小白楼)."""
    try:
        return key(parse(text))
    except Unclear:
        return folded(text)


def _told(parts: Parts) -> Parts:
    return replace(parts, floor="") if parts.floor and parts.floor == _storey_of(parts.room) else parts


def _storey_of(room: str) -> str:
    return room[:-2] if re.fullmatch("[0-9]{3,5}", room) else ""


STREET = re.compile("[^0-9路街道弄巷号幢][^0-9号幢]")
"""How a street begins; what does not is no street, and what stood before it was none of a division."""
PROVINCE = re.compile("[^省市区县]{2,6}?(?:省|自治区)")
CITY = re.compile("[^省区县路街]{2,8}?(?:市|自治州|地区|盟)")
COUNTY = re.compile("[^路街弄巷号村苑园小]{1,6}?(?:区|县|市|旗)")
TOWN = re.compile("[^路弄巷号区]{1,6}?(?:街道|镇|乡)")
SUBDISTRICT = re.compile("[^路弄巷号区]{2,6}?街道")
COMMUNITY = re.compile("[^路弄巷号区]{1,8}?(?:社区|居委会|村委会)")


def _undivided(plain: str) -> str:
    """What stands behind province, city, county, subdistrict and community, where it begins with one of them and a
    street is left. A city counts before its county only: 大都市花园路 is a street."""
    province = _behind_division(PROVINCE, plain)
    city = _behind_division(CITY, province or plain)
    county = _behind_division(COUNTY, city or province or plain) if city or province else ""
    if not province and not county:
        town = _behind_division(SUBDISTRICT, plain)
    else:
        town = _behind_division(TOWN, county or city or province)
    community = _behind_division(COMMUNITY, town) if town else ""
    return community or town or county or (province and city) or province or plain


def _behind_division(kind: re.Pattern[str], plain: str) -> str:
    found = kind.match(plain)
    return plain[found.end() :] if found and STREET.match(plain, found.end()) else ""


def _street(plain: str) -> str:
    """A street or lane, lanes counted in Arabic digits: 蚕花路六弄 as 蚕花路6弄."""
    return LANE.sub(lambda lane: (arabic(lane[1]) or lane[1]) + lane[2], plain)


FIRST = re.compile(rf"(?<![0-9A-Z甲乙丙丁戊己庚辛零〇○一二三四五六七八九十百千廿卅]){N}")
BEGINS = re.compile(rf"{NUMBERED.pattern}(?:号|\#|幢|座|楼|单元|门|层|室|房|$)")
"""Where the numbers of an address begin; what is in the middle of a name does not look so: 八一路, 318国道, 6弄."""
STREET_ENDS = tuple("路街道巷弄里同村苑园区庄坊湾城院浜场桥港河")
ROADS = tuple("路街道巷弄")
BEHIND = re.compile(
    rf"""
    (?:(?P<number>{N}(?:-{N})?)号(?!楼)院?)?
    -?(?:(?P<building>{N})(?:号楼|\#楼?|幢楼?|座|楼(?=-?{N}(?:单元|门|层|楼))))?
    -?(?:(?P<unit>{N})(?:单元|门))?
    -?(?:(?P<floor>{N})(?P<storey>层|楼))?
    -?(?:(?P<room>{N})号?[室房])?
    (?P<rest>.*)
    """,
    re.VERBOSE,
)
BARE_ROOM = re.compile("-?([0-9]{3,5}[A-Z]?)")


def parse(text: str) -> Parts:
    """The parts of a written address, normalised. Raises Unclear with the part that reads in two ways, or in none."""
    plain = ANNEX.sub(r"\1-\2号", _undivided(folded(text)))
    if len(plain) > MAX_TEXT:
        raise Unclear("street", Parts(""))
    name, behind = _divided(plain)
    if len(name) < 2 or BEGINS.match(name):
        raise Unclear("street", Parts(""))
    parts = Parts(_street(name))
    if not behind:
        raise Unclear("number", parts)
    numbers = re.sub("(-.*)号?[室房]$", r"\1", behind)
    return _hyphened(parts, numbers) if NUMBERED.fullmatch(numbers) else _marked(parts, behind)


def _divided(plain: str) -> tuple[str, str]:
    """The street, and what stands behind it, from the first number on that is not of its name."""
    for start in FIRST.finditer(plain):
        name, behind = plain[: start.start()], plain[start.start() :]
        if len(name) < 2 or not BEGINS.match(behind):
            continue
        if re.match(CHINESE, behind) and not name.endswith(STREET_ENDS):
            raise Unclear("street", Parts(""))  # 八一六号 is no. 6 of 八一, or 16 of a street called 八
        return name, behind
    return plain, ""


def _hyphened(parts: Parts, behind: str) -> Parts:
    """Numbers only: the number, or all of number, building, unit and room."""
    match behind.split("-"):
        case [number] if parts.street.endswith(ROADS):
            return replace(parts, number=_number(number))
        case [number, building, unit, room]:
            return _filled(parts, number=number, building=building, unit=unit, room=room)
        case _:
            raise Unclear("number", parts)


def _marked(parts: Parts, behind: str) -> Parts:
    """Numbers that say what they are."""
    found = BEHIND.fullmatch(behind)
    assert found  # noqa: S101  # everything in it may be missing
    names = ("number", "building", "unit", "floor", "room")
    parts = _filled(parts, **{name: found[name] or "" for name in names})
    parts = _with_rest(parts, found["rest"])
    if found["storey"] != "楼" or parts.building or parts.unit:
        return parts
    if parts.room and _storey_of(parts.room) not in ("", parts.floor):
        return replace(parts, building=parts.floor, floor="")
    raise Unclear("building", replace(parts, floor="", room=""))  # 3楼 is the third floor, or building 3


def _with_rest(parts: Parts, rest: str) -> Parts:
    """What is left are numbers that do not say what they are: a room, or all that is missing before it."""
    if not rest:
        return parts
    if not parts.room and (room := BARE_ROOM.fullmatch(rest)) and (parts.number or parts.building):
        return _filled(parts, room=room[1])
    numbers = re.sub("号?[室房]$", "", rest)
    if parts.room or parts.floor or parts.unit or not NUMBERED.fullmatch(numbers):
        raise Unclear("room", parts)
    match numbers.split("-"):
        case [unit, room] if parts.building:
            return _filled(parts, unit=unit, room=room)
        case [building, unit, room] if not parts.building:
            return _filled(parts, building=building, unit=unit, room=room)
        case _:
            raise Unclear("unit" if parts.building else "building", parts)


def _filled(parts: Parts, **texts: str) -> Parts:
    return replace(parts, **{name: _numbers(text) for name, text in texts.items() if text})
