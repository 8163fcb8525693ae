"""The citizen identity number (公民身份号码, GB 11643): region, date of birth, sequence, check.

Only what the number itself says is judged. An unknown region is no fault: divisions are renamed and merged, residence
permits of people from Hong Kong, Macao and Taiwan begin with 81 to 83, and permanent residents' with 9.
"""

import re
from datetime import date
from operator import mul

WEIGHTS = tuple(2**place % 11 for place in range(17, 0, -1))
CHECKS = "10X98765432"
LENGTH = 18
WELL_FORMED = re.compile(r"[0-9]{17}[0-9X]")

MALE, FEMALE = "1", "2"
"""GB/T 2261.1."""


def is_well_formed(number: str) -> bool:
    """Whether it is 17 digits and a check character."""
    return len(number) == LENGTH and bool(WELL_FORMED.fullmatch(number))


def check_character(body: str) -> str:
    """The 18th character for the first 17 digits: ISO 7064 MOD 11-2."""
    return CHECKS[sum(map(mul, map(int, body), WEIGHTS)) % 11]


def checks(number: str) -> bool:
    """Whether the check character of a well-formed number is right."""
    return check_character(number[:17]) == number[17]


def birth_date_in(number: str) -> date | None:
    """The date of birth that the number holds; none if there is no such day."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def sex_in(number: str) -> str:
    """The sex that the number holds: its 17th digit is odd for men, even for women."""
    return MALE if int(number[16]) % 2 else FEMALE
