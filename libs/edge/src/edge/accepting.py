"""What a caller would rather have, by the q-values of Accept and Accept-Language (RFC 9110, 12.4.2)."""

from collections.abc import Sequence
from typing import Literal

Language = Literal["en", "zh"]


def by_preference(header: str | None) -> list[str]:
    """What the header names, the most wanted first, in lower case; what it does not want at all is left out."""
    wanted: list[tuple[float, str]] = []
    for part in (header or "").split(","):
        name, *parameters = [it.strip().lower() for it in part.split(";")]
        quality = next((_quality(it[2:]) for it in parameters if it.startswith("q=")), 1.0)
        if name and quality > 0:
            wanted.append((quality, name))
    return [name for _, name in sorted(wanted, key=lambda it: -it[0])]


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def language_of(accept_language: str | None) -> Language:
    """English or Chinese: `zh-CN, en;q=0.5` is Chinese. English for whoever asks for neither."""
    for tag in by_preference(accept_language):
        if tag == "*":
            break
        if (language := tag.split("-")[0]) in ("en", "zh"):
            return language
    return "en"


def media_type_of(accept: str | None, offered: Sequence[str]) -> str:
    """The one of these that is wanted most; the first if none is named."""
    for name in by_preference(accept):
        if name in ("*/*", *(f"{it.split('/')[0]}/*" for it in offered[:1])):
            break
        if name in offered:
            return name
    return offered[0]
