"""Signed addresses of AWS Signature Version 4, for S3 and what is compatible with it: a calculation, no connection.

Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)".
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs, for which region."""

    access_key: str
    secret_key: str = field(repr=False)
    region: str = "us-east-1"


def presigned(
    method: str,
    url: str,
    credentials: Credentials,
    at: datetime,
    good_for: timedelta,
    *,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> str:
    """The address with a signature: who has it may make this one request from `at` on, for so long. `headers` must be
    sent as they are given; `query` goes into the address."""
    place = urlsplit(url)
    named = {"host": place.netloc} | {name.lower(): " ".join(it.split()) for name, it in (headers or {}).items()}
    signed = ";".join(sorted(named))
    moment = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{moment[:8]}/{credentials.region}/s3/aws4_request"
    asked = {
        **(query or {}),
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key}/{scope}",
        "X-Amz-Date": moment,
        "X-Amz-Expires": str(int(good_for.total_seconds())),
        "X-Amz-SignedHeaders": signed,
    }
    path = quote(place.path, safe="/-_.~") or "/"
    canonical_query = "&".join(sorted(f"{_quoted(name)}={_quoted(value)}" for name, value in asked.items()))
    canonical_headers = "".join(f"{name}:{named[name]}\n" for name in sorted(named))
    request = "\n".join((method, path, canonical_query, canonical_headers, signed, "UNSIGNED-PAYLOAD"))
    to_sign = "\n".join((ALGORITHM, moment, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (*scope.split("/"), to_sign):
        key = hmac.digest(key, part.encode(), "sha256")
    return f"{place.scheme}://{place.netloc}{path}?{canonical_query}&X-Amz-Signature={key.hex()}"


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")
