"""Numbers that are right in form and belong to nobody.

Identity numbers (GB 11643) and unified social credit codes (GB 32100) carry a right check character under
a division that does not exist: no province begins with 99. Telephone numbers begin with 154, a segment
that has never been issued to any operator.
"""

from collections.abc import Iterator
from datetime import date
from random import Random

MALE, FEMALE = 1, 2
"""GB/T 2261.1."""

_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100: no I, O, S, V, Z


def identity_check(body: str) -> str:
    """The check character of an identity number's first 17 digits: ISO 7064 MOD 11-2."""
    weighted = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(body))
    return "10X98765432"[weighted % 11]


def organisation_check(body: str) -> str:
    """The check character of an organisation code's first 8 characters: GB 11714."""
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    weighted = sum(int(mark, 36) * weight for mark, weight in zip(body, weights, strict=True))
    return "0X987654321"[weighted % 11]


def credit_check(body: str) -> str:
    """The check character of a credit code's first 17 characters: GB 32100, MOD 31."""
    weighted = sum(_CREDIT_ALPHABET.index(mark) * pow(3, place, 31) for place, mark in enumerate(body))
    return _CREDIT_ALPHABET[-weighted % 31]


class IdentityNumbers:
    """Hands out identity numbers, none of them twice."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._given: set[str] = set()

    def give(self, region: str, born: date, sex: int) -> str:
        """A number for someone first registered in `region`; the last digit but one is odd for a man."""
        while True:
            sequence = 2 * self._rng.randrange(1, 500) - (1 if sex == MALE else 0)
            body = f"{region}{born:%Y%m%d}{sequence:03}"
            if body not in self._given:
                self._given.add(body)
                return body + identity_check(body)


def credit_code(rng: Random, *, company: bool) -> str:
    """A credit code given by market supervision (9) to a company (1) or to a family business (2)."""
    marks = "".join(rng.choices(_CREDIT_ALPHABET, k=6))
    organisation = f"MA{marks}"
    body = f"9{1 if company else 2}990502{organisation}{organisation_check(organisation)}"
    return body + credit_check(body)


def phones(rng: Random, count: int) -> Iterator[str]:
    """Different mobile numbers, as many as asked."""
    return (f"154{number:08}" for number in rng.sample(range(10**8), count))
