"""Households of permanent residents: what kinds there are, and ages that fit together."""

from random import Random
from typing import NamedTuple

from generator.numbers import FEMALE, MALE


class Kind(NamedTuple):
    """A kind of household: who lives there with the head (户主), how many such there are, how old heads are."""

    members: str
    households: int
    youngest_head: int
    oldest_head: int


KINDS = (
    Kind("", 210, 65, 92),
    Kind("", 224, 24, 64),
    Kind("spouse", 300, 62, 88),
    Kind("spouse", 250, 26, 61),
    Kind("child", 90, 32, 58),
    Kind("parent", 40, 30, 60),
    Kind("sibling", 30, 25, 60),
    Kind("spouse child", 400, 28, 62),
    Kind("spouse grandchild", 38, 58, 75),
    Kind("spouse parent", 40, 32, 60),
    Kind("spouse child child", 98, 30, 55),
    Kind("spouse child parent", 80, 30, 55),
    Kind("spouse child child parent", 20, 30, 55),
    Kind("spouse child parent parent", 30, 30, 55),
)
"""Together the paper's 1,850 households and 4,250 permanent residents."""


class Relative(NamedTuple):
    """A member of a household, before they have a name."""

    kin: str
    sex: int
    age: int


def family(rng: Random, kind: Kind) -> list[Relative]:
    """A household of a kind, head first; a child is at least 18 years younger than either parent."""
    head = Relative("head", _sex(rng, men=0.65), rng.randint(kind.youngest_head, kind.oldest_head))
    relatives = [head]
    for kin in kind.members.split():
        earlier = [relative for relative in relatives if relative.kin == kin]
        relatives.append(_relative(rng, kin, head, min(relative.age for relative in relatives), earlier))
    return relatives


def _relative(rng: Random, kin: str, head: Relative, youngest: int, earlier: list[Relative]) -> Relative:
    match kin, earlier:
        case "spouse", _:
            older = rng.randint(-1, 4) * (1 if head.sex == FEMALE else -1)  # husbands tend to be the elder
            return Relative(kin, _other(head.sex), max(head.age + older, 22))
        case "child", []:
            return Relative(kin, _sex(rng), max(youngest - rng.randint(22, 33), 3))
        case "child", _:
            return Relative(kin, _sex(rng), max(youngest - rng.randint(2, 6), 0))
        case "parent", []:
            return Relative(kin, _sex(rng, men=0.4), head.age + rng.randint(21, 33))
        case "parent", [first, *_]:
            return Relative(kin, _other(first.sex), max(first.age + rng.randint(-3, 3), head.age + 20))
        case "grandchild", _:
            return Relative(kin, _sex(rng), max(youngest - rng.randint(46, 58), 0))
        case _:  # a sibling
            return Relative(kin, _sex(rng), max(head.age + rng.randint(-7, 7), 18))


def _sex(rng: Random, men: float = 0.5) -> int:
    return MALE if rng.random() < men else FEMALE


def _other(sex: int) -> int:
    return FEMALE if sex == MALE else MALE
