"""A copy for the person concerned (个人信息副本, PIPL article 45): all that the registry holds of them, how it came
there, and who has seen it. As signed JSON, which another system can trust, or as a page to read.

The signing key (Ed25519) is derived from the ring's index key by HKDF (RFC 5869), so that there is no further secret to
keep; its public part is published as a JWKS.
"""

import hashlib
from datetime import datetime
from html import escape
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from edge import Call, Router
from events import NotFound
from events.runtime import Runtime
from fastapi import Request, Response
from jwt.algorithms import OKPAlgorithm
from pydantic import BaseModel, Field

from registry.api.corrections import CorrectionView
from registry.api.disclosures import DisclosureView, on_record
from registry.api.powers import Powers
from registry.domain.person import PERSON
from registry.read_models import disclosures as seen
from registry.read_models.corrections import corrections, of_person
from registry.read_models.disclosures import disclosures
from registry.read_models.people import grid_of, people

router = Router(tags=["copies"])

ALGORITHM = "EdDSA"
MOST = 1000


class Step(BaseModel):
    """How something came to be known."""

    what: str = Field(examples=["person.registered"])
    at: datetime
    by: str | None = Field(description="A member of the roster")


class Copy(BaseModel):
    """All that is held of somebody."""

    person: str
    held: dict[str, Any] = Field(description="Field by field, as it stands in the register")
    history: list[Step]
    corrections: list[CorrectionView] = Field(description="What was asked to be corrected, the latest 1000")
    seen_by: list[DisclosureView] = Field(description="The latest 1000")
    made_at: datetime


class SignedCopy(BaseModel):
    """A copy with its signature."""

    copied: Copy
    jws: str = Field(description="The same, signed (RFC 7515): verify it with a key of GET /copies/keys")


class PublishedKeys(BaseModel):
    """A JSON Web Key Set (RFC 7517)."""

    keys: list[dict[str, str]]


@router.get("/people/{person}/copy", power=Powers.COPY_PEOPLE, response_model=SignedCopy)
async def copy_of(person: str, call: Call, request: Request) -> Response:
    """All that is held of a person, for them: signed JSON, or with `Accept: text/html` a page to read. That it was
    handed out is on record, for the purpose `copy`."""
    await call.fresh(people, corrections, disclosures)
    call.grant.require(await grid_of(call.db, person))
    history = await call.commands.history(PERSON, person)
    if not history:
        raise NotFound("there is no such thing")
    held = PERSON.fold(it.data for it in history).known()
    asked = await of_person(call.db, person, MOST)
    looks = await seen.page(call.db, person, None, "", MOST)
    copied = Copy(
        person=person,
        held=held.model_dump(mode="json"),
        history=[Step(what=_what(it.raw.type), at=it.recorded_at, by=it.raw.actor) for it in history],
        corrections=[CorrectionView(**row) for row in asked],
        seen_by=[DisclosureView(**row) for row in looks[:MOST]],
        made_at=call.now,
    )
    headers = await on_record(call, person, sorted(held.personal), "copy")
    if "text/html" in request.headers.get("Accept", ""):
        return Response(_page(copied), 200, headers, "text/html")
    key, name = await _signing_key(call.runtime)
    jws = jwt.encode(copied.model_dump(mode="json"), key, ALGORITHM, {"kid": name, "typ": "JOSE"})
    signed = SignedCopy(copied=copied, jws=jws)
    return Response(signed.model_dump_json(), 200, headers, "application/json")


@router.get("/copies/keys", power=Powers.READ_POWERS)
async def keys(call: Call) -> PublishedKeys:
    """The keys by which a copy's signature is verified."""
    key, name = await _signing_key(call.runtime)
    public = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    named = {"kid": name, "alg": ALGORITHM, "use": "sig"}
    return PublishedKeys(keys=[{part: public[part] for part in ("kty", "crv", "x")} | named])


async def _signing_key(runtime: Runtime) -> tuple[Ed25519PrivateKey, str]:
    index_key = await runtime.personal.keys.index_key()
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"commongrid copies").derive(index_key)
    key = Ed25519PrivateKey.from_private_bytes(derived)
    return key, hashlib.sha256(key.public_key().public_bytes_raw()).hexdigest()[:16]


def _what(type_name: str) -> str:
    return ".".join(type_name.split(".")[2:4])


def _page(copied: Copy) -> str:
    """For people to read, in Chinese and English."""
    held = _rows((name, value) for name, value in copied.held.items() if value not in (None, ""))
    history = _rows((f"{it.at:%Y-%m-%d %H:%M}", f"{it.what}, {it.by or '–'}") for it in copied.history)
    corrections = _rows(
        (f"{it.asked_at:%Y-%m-%d %H:%M}", f"{', '.join(it.fields)}: {it.outcome}") for it in copied.corrections
    )
    seen_by = _rows(
        (f"{it.at:%Y-%m-%d %H:%M}", f"{it.by}: {it.purpose} ({', '.join(it.fields)})") for it in copied.seen_by
    )
    return (
        '<!doctype html><html lang="zh"><meta charset="utf-8"><title>个人信息副本</title>'
        "<h1>个人信息副本 A copy of your personal data</h1>"
        "<p>依《个人信息保护法》第四十五条。By article 45 of the Personal Information Protection Law.</p>"
        f"<h2>登记内容 What is held</h2><table>{held}</table>"
        f"<h2>登记经过 How it came to be known</h2><table>{history}</table>"
        f"<h2>更正 Corrections</h2><table>{corrections}</table>"
        f"<h2>谁看过 Who has seen it</h2><table>{seen_by}</table>"
    )


def _rows(pairs: Any) -> str:
    return "".join(f"<tr><th>{escape(str(name))}<td>{escape(str(value))}" for name, value in pairs)
