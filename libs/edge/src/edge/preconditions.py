"""ETag, If-Match and If-None-Match: a change says which version of the thing it was decided on, and a reader which one
they have."""

import re

from edge.problems import HttpProblem

_ETAG = re.compile(r'"v([1-9][0-9]{0,8})"')


def etag(version: int) -> str:
    """The strong ETag of a version: `"v3"`."""
    return f'"v{version}"'


def is_known(if_none_match: str | None, tag: str) -> bool:
    """Whether If-None-Match names this ETag: the caller has that already, and is answered 304."""
    return tag in (if_none_match or "").replace(" ", "").split(",")


def expected_version(if_match: str | None) -> int | None:
    """The version named by If-Match; None for `*`, which takes any version of a thing that exists.

    Raises the 428 problem if there is none, and 400 for weak tags, lists and anything that no ETag of ours looks like.
    """
    if if_match is None:
        raise HttpProblem(
            "if-match-missing",
            "get the thing first, then send its ETag back as If-Match, so that nothing is overwritten",
        )
    if if_match.strip() == "*":
        return None
    found = _ETAG.fullmatch(if_match.strip())
    if not found:
        raise HttpProblem("if-match-malformed", 'send back one ETag as it was given, like "v3" with its quotes, or *')
    return int(found[1])
