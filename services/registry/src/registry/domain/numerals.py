"""Numbers as addresses write them: 12, 十二, 一百零八, 三〇一, and in full-width or financial characters.

One number has many writings, and only what reads one way is read: 二百五 and 三十〇 are no numbers here.
"""

import re
from collections.abc import Iterator

PLAIN = str.maketrans("〇○壹贰叁肆伍陆柒捌玖拾佰仟", "零零一二三四五六七八九十百千")
DIGITS = "零一二三四五六七八九"
CHINESE = r"[零〇○一二三四五六七八九十百千廿卅壹贰叁肆伍陆柒捌玖拾佰仟]+"
"""A number in Chinese characters, for regular expressions."""

_COUNTED = re.compile(
    "(?:(?P<thousands>[一二三四五六七八九])千)?(?P<zero1>零)?(?:(?P<hundreds>[一二三四五六七八九])百)?"
    "(?P<zero2>零)?(?:(?P<tens>[一二三四五六七八九]?)十)?(?P<ones>[一二三四五六七八九])?"
)


def arabic(text: str) -> str | None:
    """The number in Arabic digits without leading zeros, 十二 as 12; None if it is none, or not for certain."""
    if re.fullmatch("[0-9]+", text):
        return text.lstrip("0") or "0"
    plain = text.translate(PLAIN).replace("廿", "二十").replace("卅", "三十")
    if plain and all(character in DIGITS for character in plain):
        return "".join(str(DIGITS.index(character)) for character in plain).lstrip("0") or "0"
    found = _COUNTED.fullmatch(plain)
    if not found or not plain:
        return None
    places = (("thousands", 1000), ("hundreds", 100), ("ones", 1))
    value = sum(DIGITS.index(found[name]) * size for name, size in places if found[name])
    if found["tens"] is not None:
        value += 10 * (DIGITS.index(found["tens"]) if found["tens"] else 1)
    return str(value) if plain in writings(value) else None


def writings(value: int) -> Iterator[str]:
    """How 1 to 9999 is written by thousands, hundreds and tens: 十二 and 一十二, 一百一十 and 一百十."""
    thousands, hundreds, tens, ones = (value // size % 10 for size in (1000, 100, 10, 1))
    text = f"{DIGITS[thousands]}千" if thousands else ""
    if hundreds:
        text += f"{DIGITS[hundreds]}百"
    elif text and (tens or ones):
        text += "零"
    end = DIGITS[ones] if ones else ""
    if tens:
        yield f"{text}{DIGITS[tens]}十{end}"
        if tens == 1:
            yield f"{text}十{end}"
    elif hundreds and end:
        yield f"{text}零{end}"
    else:
        yield f"{text}{end}"
