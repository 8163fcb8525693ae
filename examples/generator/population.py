"""Who lives there: permanent residents (常住人口) in households, and floating ones (流动人口) who rent.

Nobody here exists. Names are drawn by Faker; the numbers are those of `numbers`.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from typing import NamedTuple

from faker import Faker

from generator import AS_OF, chance
from generator.families import KINDS, Relative, family
from generator.numbers import FEMALE, MALE, IdentityNumbers
from generator.premises import Premises

FLOATING = 3_500
IN_SHOPS = 150
"""Floating residents who sleep behind their shop front."""
LAPSED = 0.04
"""Share of the floating residents whose registration has run out and was not renewed."""
OWN_PHONE_FROM = 14
"""Younger children are reached through their parents; their data are sensitive by law (PIPL 28)."""

HERE = ("990502",) * 8 + ("990503", "990521", "990522", "990523")
ELSEWHERE = ("991101", "991224", "992203", "992318", "993402", "993527", "994106", "994421")
"""Where people were first registered. None of these divisions exists."""


class Household(NamedTuple):
    """A row of `households.csv`."""

    household_ref: str
    address_ref: str


class Person(NamedTuple):
    """A row of `people.csv`."""

    person_ref: str
    name: str
    id_number: str
    sex: int
    birth_date: date
    phone: str | None
    residency: str
    household_ref: str | None
    relation: str | None
    address_ref: str
    registered_until: date | None


class Population(NamedTuple):
    """Everybody, and their households."""

    households: list[Household]
    people: list[Person]


def populate(seed: int, premises: Premises, phones: Iterator[str]) -> Population:
    """Give each household a flat of its own, and the floating residents the other flats and the shops."""
    kinds = [kind for kind in KINDS for _ in range(kind.households)]
    chance(seed, "kinds of household").shuffle(kinds)
    owned = set(chance(seed, "owned flats").sample(premises.flats, len(kinds)))
    to_let = [flat for flat in premises.flats if flat not in owned]
    homes = [flat for flat in premises.flats if flat in owned]
    households = [Household(f"H{place:04}", home) for place, home in enumerate(homes, start=1)]

    rng = chance(seed, "families")
    register = _Register(seed, phones)
    people: list[Person] = []
    for household, kind in zip(households, kinds, strict=True):
        people += register.household(household, family(rng, kind))
    people += register.floating(to_let, premises.fronts)
    return Population(households, people)


class _Register:
    """Gives people their names, numbers and references."""

    def __init__(self, seed: int, phones: Iterator[str]) -> None:
        self._rng = chance(seed, "people")
        self._names = Faker("zh_CN")
        self._names.seed_instance(seed)
        self._identity_numbers = IdentityNumbers(self._rng)
        self._phones = phones
        self._refs = count(1)

    def household(self, household: Household, relatives: list[Relative]) -> list[Person]:
        """The members of a household; children bear their father's surname, or else the head's."""
        of_head, of_spouse = self._names.last_name(), self._names.last_name()
        head, *others = relatives
        married = any(relative.kin == "spouse" for relative in others)
        of_children = of_spouse if married and head.sex == FEMALE else of_head
        members: list[Person] = []
        for kin, sex, age in relatives:
            match kin, sex:
                case "spouse", _:
                    surname = of_spouse
                case (("child" | "grandchild"), _):
                    surname = of_children
                case "parent", 2:
                    surname = self._names.last_name()
                case _:
                    surname = of_head
            relation = "other" if kin in ("sibling", "grandchild") else kin
            someone = self._someone(surname, sex, age, self._rng.choice(HERE), household.address_ref)
            members.append(
                someone._replace(residency="permanent", household_ref=household.household_ref, relation=relation)
            )
        return members

    def floating(self, to_let: list[str], fronts: list[str]) -> list[Person]:
        """Tenants: an adult in each flat to let, and whoever joins them; and some who sleep in their shops."""
        adults = len(to_let) + IN_SHOPS
        ages = [self._rng.randint(18, 62) for _ in range(adults)]
        ages += self._rng.choices((*range(18, 60), *range(70)), k=FLOATING - adults)
        homes = [*to_let, *self._rng.choices(fronts, k=IN_SHOPS)]
        homes += self._rng.choices(to_let, k=FLOATING - adults)
        tenants: list[Person] = []
        for age, home in sorted(zip(ages, homes, strict=True), key=lambda tenant: tenant[1]):
            lapsed = self._rng.random() < LAPSED
            days = -self._rng.randint(1, 60) if lapsed else self._rng.randint(1, 365)
            sex = self._rng.choice((MALE, MALE, MALE, FEMALE, FEMALE))
            someone = self._someone(self._names.last_name(), sex, age, self._rng.choice(ELSEWHERE), home)
            tenants.append(someone._replace(residency="floating", registered_until=AS_OF + timedelta(days=days)))
        return tenants

    def _someone(self, surname: str, sex: int, age: int, region: str, home: str) -> Person:
        given = self._names.first_name_male() if sex == MALE else self._names.first_name_female()
        born = AS_OF.replace(year=AS_OF.year - age) - timedelta(days=self._rng.randrange(365))
        return Person(
            person_ref=f"P{next(self._refs):04}",
            name=surname + given,
            id_number=self._identity_numbers.give(region, born, sex),
            sex=sex,
            birth_date=born,
            phone=next(self._phones) if age >= OWN_PHONE_FROM else None,
            residency="",
            household_ref=None,
            relation=None,
            address_ref=home,
            registered_until=None,
        )
