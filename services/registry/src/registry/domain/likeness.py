"""Whether two people may be one who was entered twice: a score with its reasons, for somebody to decide.

Blocking finds who is worth comparing: the same number, the same telephone, the same date of birth and initials, the
same name in the same home. The weights are ours: they put one person with a miscopied character above 0.6, and two
siblings below 0.5; a pair is never merged by its score.
"""

from collections.abc import Iterator
from typing import NamedTuple

from contracts.common import IdentityDocument, Title
from contracts.registry import PersonFacts
from rapidfuzz.distance import DamerauLevenshtein

from registry.domain.names import split, syllables

WORTH_SHOWING = 0.5


class Reason(NamedTuple):
    """Something that speaks for it, or against it if the weight is below 0."""

    code: str
    weight: float


WORDS: dict[str, Title] = {
    "same_number": Title(zh="证件号码相同", en="the same identity number"),
    "number_miscopied": Title(zh="证件号码只差一处", en="identity numbers that differ in one place"),
    "other_number": Title(zh="证件号码不同", en="different identity numbers"),
    "same_name": Title(zh="姓名相同", en="the same name"),
    "sounds_alike": Title(zh="姓名同音", en="names that sound the same"),
    "similar_name": Title(zh="姓名相近", en="similar names"),
    "other_name": Title(zh="姓名不同", en="different names"),
    "same_birth_date": Title(zh="出生日期相同", en="the same date of birth"),
    "similar_birth_date": Title(zh="出生日期相近", en="dates of birth that differ in one place"),
    "other_birth_date": Title(zh="出生日期不同", en="different dates of birth"),
    "other_sex": Title(zh="性别不同", en="different sexes"),
    "same_phone": Title(zh="电话相同", en="the same telephone"),
    "same_address": Title(zh="住址相同", en="the same address"),
}


def compared(one: PersonFacts, other: PersonFacts) -> tuple[float, list[Reason]]:
    """How likely it is that they are one, from 0 to 1, and why; the strongest reason first."""
    reasons = sorted(_reasons(one, other), key=lambda it: -abs(it.weight))
    return min(1.0, max(0.0, sum(it.weight for it in reasons))), reasons


def _reasons(one: PersonFacts, other: PersonFacts) -> Iterator[Reason]:
    yield from _numbers(one, other)
    yield from _names(one.name, other.name)
    match DamerauLevenshtein.distance(f"{one.birth_date:%Y%m%d}", f"{other.birth_date:%Y%m%d}"):
        case 0:
            yield Reason("same_birth_date", 0.3)
        case 1:
            yield Reason("similar_birth_date", 0.15)
        case _:
            yield Reason("other_birth_date", -0.2)
    if {one.sex, other.sex} == {"1", "2"}:
        yield Reason("other_sex", -0.3)
    if one.phone and one.phone == other.phone:
        yield Reason("same_phone", 0.2)
    if one.address == other.address:
        yield Reason("same_address", 0.1)


def _numbers(one: PersonFacts, other: PersonFacts) -> Iterator[Reason]:
    if not one.id_number or not other.id_number or one.document != other.document:
        return
    if one.id_number == other.id_number:
        yield Reason("same_number", 0.6)
    elif DamerauLevenshtein.distance(one.id_number, other.id_number) == 1:
        yield Reason("number_miscopied", 0.2)
    elif one.document is IdentityDocument.IDENTITY_CARD:
        yield Reason("other_number", -0.4)


def _names(one: str, other: str) -> Iterator[Reason]:
    if one == other:
        yield Reason("same_name", 0.35)
    elif syllables(one) == syllables(other):
        yield Reason("sounds_alike", 0.25)
    elif split(one)[0] == split(other)[0] and DamerauLevenshtein.distance(one, other) == 1:
        yield Reason("similar_name", 0.15)
    else:
        yield Reason("other_name", -0.15)
