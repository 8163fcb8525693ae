"""How like an address is to what somebody wrote, and why: for people to choose by."""

from dataclasses import dataclass

from contracts.common import Title
from rapidfuzz import fuzz, process

from registry.domain.writing import Parts

ENOUGH = 60
"""Of 100: streets and addresses below it are not shown."""

SAME_STREET = Title(zh="街路名称相同", en="the same street")
LIKE_STREET = Title(zh="街路名称相近", en="a street of a like name")
SAME = {
    "number": Title(zh="门牌号相同", en="the same number"),
    "building": Title(zh="幢号相同", en="the same building"),
    "unit": Title(zh="单元相同", en="the same unit"),
    "room": Title(zh="室号相同", en="the same room"),
}
OTHER = {
    "building": Title(zh="幢号不同", en="another building"),
    "unit": Title(zh="单元不同", en="another unit"),
    "room": Title(zh="室号不同", en="another room"),
}


@dataclass(frozen=True, slots=True)
class Likeness:
    """`score` of 100: half of it is the street's, half is for what else agrees of what was written."""

    score: int
    reasons: tuple[Title, ...]


def like_streets(wanted: str, streets: list[str], limit: int = 5) -> list[str]:
    """Those streets that are called alike, the most alike first."""
    found = process.extract(wanted, streets, scorer=fuzz.ratio, score_cutoff=ENOUGH, limit=limit)
    return [street for street, _, _ in found]


def likeness(wanted: Parts, there: Parts) -> Likeness:
    """What was written against an address with the same number."""
    street = fuzz.ratio(wanted.street, there.street)
    reasons = [SAME_STREET if street == 100 else LIKE_STREET]
    asked = [name for name in SAME if getattr(wanted, name)]
    agree = [name for name in asked if getattr(wanted, name) == getattr(there, name)]
    reasons += [SAME[name] for name in agree]
    reasons += [OTHER[name] for name in OTHER if name not in agree and getattr(wanted, name) != getattr(there, name)]
    rest = len(agree) / len(asked) if asked else 0.5
    exact = street == 100 and all(getattr(wanted, it) == getattr(there, it) for it in (*SAME, "floor"))
    return Likeness(100 if exact else min(99, round(street / 2 + 50 * rest)), tuple(reasons))
