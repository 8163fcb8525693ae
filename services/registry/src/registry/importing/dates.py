"""Days in the ways of Chinese forms: 2026-11-23, 2026/11/23, 2026.11.23, 20261123, 2026年11月23日 (or 号),
二〇二六年十一月二十三日, digits of full width, and what spreadsheets add (0:00). The year has four digits and is of the
common era: neither 26 nor 民国115 says which year is meant.
"""

import re
import unicodedata
from datetime import date

from registry.domain.numerals import arabic

APART = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})")
TOGETHER = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
IN_WORDS = re.compile(
    r"([0-9〇零一二三四五六七八九]{4})年([0-9一二三四五六七八九十]{1,2})月([0-9一二三四五六七八九十]{1,3})[日号]"
)
MIDNIGHT = re.compile(r"[ T]0{1,2}:00(:00(\.0+)?)?$")
SERIAL = re.compile(r"[2-9][0-9]{4}(\.[0-9]*)?")
"""How spreadsheets count days: 46349 is 23 November 2026."""
DIGITS = str.maketrans("〇零一二三四五六七八九", "00123456789")


def is_serial(cell: str) -> bool:
    """Whether a spreadsheet has made a number of a day."""
    return bool(SERIAL.fullmatch(cell))


def day_in(cell: str) -> date | None:
    """The day that is written here; None if it is none."""
    plain = MIDNIGHT.sub("", unicodedata.normalize("NFKC", cell.replace("○", "〇"))).replace(" ", "")
    if found := APART.fullmatch(plain):
        year, month, of_month = found[1], found[3], found[4]
    elif found := TOGETHER.fullmatch(plain) or IN_WORDS.fullmatch(plain):
        year, month, of_month = found[1].translate(DIGITS), arabic(found[2]) or "", arabic(found[3]) or ""
    else:
        return None
    try:
        return date(int(year), int(month), int(of_month))
    except ValueError:
        return None
