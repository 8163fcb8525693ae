"""Chinese names as people look for them: by characters, by pinyin (拼音), by initials.

Names of people have readings of their own: 曾 is Zeng, not Ceng, and 单 is Shan. Whoever spells a name spells it
without tones, and ü as v.
"""

import os
import unicodedata
from functools import cache, lru_cache

COMPOUND = frozenset(
    ("欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "公孙", "慕容", "长孙", "宇文", "司徒", "司空", "夏侯", "令狐")
)
"""Surnames of two characters (复姓)."""
READINGS = {
    "曾": "zeng",
    "单": "shan",
    "解": "xie",
    "仇": "qiu",
    "区": "ou",
    "查": "zha",
    "朴": "piao",
    "翟": "zhai",
    "盖": "ge",
    "种": "chong",
    "尹": "yin",
    "任": "ren",
    "华": "hua",
    "覃": "qin",
    "黑": "he",
    "缪": "miao",
    "乐": "yue",
    "员": "yun",
    "祭": "zhai",
    "燕": "yan",
    "尉迟": "yuchi",
    "万俟": "moqi",
}
"""Surnames that are not read as the character mostly is."""


def split(name: str) -> tuple[str, str]:
    """Surname and given name; a name that is not Chinese has no given name here."""
    if not name or not _is_chinese(name[0]):
        return name, ""
    length = 2 if name[:2] in COMPOUND or name[:2] in READINGS else 1
    return name[:length], name[length:]


@lru_cache(maxsize=4096)
def syllables(name: str) -> tuple[str, ...]:
    """How a name is read, without tones; what is no Chinese character stays, in lower case."""
    surname, given = split("".join(name.split()))
    first = (READINGS[surname],) if surname in READINGS else tuple(map(_read, surname))
    return tuple(filter(None, (*first, *map(_read, given))))


def words(name: str) -> frozenset[str]:
    """The words by which somebody of this name is found: the name and its beginnings, the given name, the pinyin of the
    whole, of surname and initials, and the initials alone."""
    name = "".join(name.split())
    surname, given = split(name)
    read = syllables(name)
    initials = "".join(it[0] for it in read)
    first = syllables(surname)
    found = {name[:length] for length in range(1, len(name) + 1)}
    found |= {given, "".join(read), initials, "".join(first), "".join(first) + initials[len(first) :]}
    return frozenset(it for it in found if it)


def looked_for(text: str) -> str:
    """What somebody looks for, as `words` writes it: without blanks, hyphens and tones, in lower case."""
    plain = unicodedata.normalize("NFKC", text)
    kept = "".join(letter for letter in plain if letter.isalnum())
    return kept if kept and _is_chinese(kept[0]) else _plain(kept)


def _is_chinese(letter: str) -> bool:
    return "\u3400" <= letter <= "\u9fff" or "\U00020000" <= letter <= "\U0003ffff"


def _read(letter: str) -> str:
    reading = _readings().get(ord(letter), "")
    return _plain(reading.partition(",")[0] or letter) if reading or letter.isalnum() else ""


def _plain(text: str) -> str:
    text = text.lower().replace("ü", "v")
    parts = unicodedata.normalize("NFD", text)
    return "".join(it for it in parts.replace("u\u0308", "v") if not unicodedata.combining(it))


@cache
def _readings() -> dict[int, str]:
    # Phrases say how words are read, which names are not; they would take 40 MB.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "true")
    from pypinyin.constants import PINYIN_DICT  # pyright: ignore[reportMissingTypeStubs]

    return PINYIN_DICT
