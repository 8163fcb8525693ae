"""Small JSON documents from another's server, which is not trusted to be quick, brief or where it says."""

from collections.abc import Mapping
from typing import Any, cast

import httpx2
import orjson

LARGEST = 262_144
"""Bytes of a document; beyond, it is not read."""


class FetchFailed(Exception):
    """The document cannot be had; the message says why, in a part of a sentence."""


async def fetch_json(http: httpx2.AsyncClient, url: str) -> Mapping[str, Any]:
    """The JSON object at this address; raises FetchFailed. How long it may take is for the caller to limit.

    Redirects are not followed: who was asked must answer. Nothing is unpacked, so that little cannot become much.
    """
    try:
        async with http.stream("GET", url, headers={"Accept": "application/json", "Accept-Encoding": "identity"}) as it:
            if it.status_code != 200:
                raise FetchFailed(f"{url} answers {it.status_code}")
            body = bytearray()
            async for chunk in it.aiter_raw():
                body += chunk
                if len(body) > LARGEST:
                    raise FetchFailed(f"{url} is larger than {LARGEST} bytes")
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        raise FetchFailed(f"{url} cannot be reached ({type(error).__name__})") from error
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise FetchFailed(f"{url} is not JSON") from None
    if not isinstance(document, dict):
        raise FetchFailed(f"{url} is not a JSON object")
    return cast("dict[str, Any]", document)
