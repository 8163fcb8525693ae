"""Lists of words as Postgres writes them, for `unnest`, which gives rows only what is no array itself."""

from collections.abc import Sequence


def array_of(words: Sequence[str]) -> str:
    """To be cast: `{"a","b"}`."""
    quoted = (word.replace("\\", "\\\\").replace('"', '\\"') for word in words)
    return "{" + ",".join(f'"{word}"' for word in quoted) + "}"
