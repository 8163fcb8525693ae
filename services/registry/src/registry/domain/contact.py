"""Whether somebody can plausibly be reached by what is written here."""

import re

MOBILE = r"1[3-9][0-9]{9}"
LAND_LINE = r"0[1-9][0-9]{1,2}[2-9][0-9]{6,7}"
SERVICE = r"[48]00[0-9]{7}"
PHONE = re.compile(rf"(?:\+?86)?(?:{MOBILE}|{LAND_LINE})|{SERVICE}")
_HOURS = r"[1-7](?:[-,][1-7])* (?:[01][0-9]|2[0-3]):[0-5][0-9]-(?:[01][0-9]:[0-5][0-9]|2[0-3]:[0-5][0-9]|24:00)"
HOURS_OF_A_WEEK = re.compile(rf"{_HOURS}(?:; ?{_HOURS})*")
"""`1-5 18:00-21:00; 6-7 09:00-21:00`, Monday being 1."""
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


def is_phone(digits: str) -> bool:
    """A mobile number, a land line with its area code, or a 400 or 800 number, in digits; +86 may stand before."""
    return bool(PHONE.fullmatch(digits))


def is_email(text: str) -> bool:
    """Something at some host."""
    return bool(EMAIL.fullmatch(text))
