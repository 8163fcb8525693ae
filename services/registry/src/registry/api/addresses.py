"""Standard addresses (标准地址), and finding one however it is written."""

from typing import Annotated

from contracts.common import Place, Title
from contracts.registry import AddressFacts, AddressName
from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from registry.api.history import When, as_known
from registry.api.powers import Powers
from registry.api.views import as_held
from registry.domain.address import ADDRESS, Name
from registry.domain.faults import WORDS
from registry.domain.place_likeness import ENOUGH, like_streets, likeness
from registry.domain.writing import Parts, Unclear, folded, key, parse
from registry.read_models.address_names import address_names, named, numbered, streets
from registry.read_models.territory import page, territory

router = Router(prefix="/addresses", tags=["addresses"])

MOST = 20
"""Candidates."""
DIVISION = r"^[0-9]{12}$"


class AddressRow(BaseModel):
    """An address in a list."""

    address: str
    written: str
    division_code: str
    grid: str | None
    place: Place


class WrittenAddress(BaseModel):
    """An address as somebody wrote it."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(examples=["蚕花路６號1栋2-301"])
    division_code: Annotated[str, StringConstraints(pattern=DIVISION)] | None = Field(
        None, description="Of the community, if you know it; likely addresses are looked for in there only"
    )


class Candidate(BaseModel):
    """An address that may be meant."""

    address: str
    written: str = Field(description="The name by which it was found")
    score: int = Field(ge=0, le=100, description="100: it is this one, by its standard name or one that it had or has")
    reasons: list[Title]


class Found(BaseModel):
    """What may be meant, most likely first."""

    candidates: list[Candidate]
    unclear: str | None = Field(description="The part that cannot be read with certainty: street, number, building, …")
    message: Title | None = Field(description="What would be clear")


@router.post("/search", power=Powers.READ_ADDRESSES, asks=True)
async def search(call: Call, wanted: WrittenAddress) -> Found:
    """Which addresses somebody may mean, however they wrote it: by its standard name, by one that it had before its
    street was renamed, by what people call it, and those that are like it. At most 20."""
    await call.fresh(address_names)
    unclear: Unclear | None = None
    try:
        read = parse(wanted.text)
    except Unclear as told:
        read, unclear = told.read, told
    candidates = await _by_name(call, folded(wanted.text) if unclear else key(read), wanted.division_code)
    if wanted.division_code and len(read.street) > 1:
        known = {it.address for it in candidates}
        likely = await _likely(call, read, wanted.division_code)
        candidates += [it for it in likely if it.address not in known]
    return Found(
        candidates=candidates[:MOST],
        unclear=unclear and unclear.field,
        message=WORDS[unclear.why] if unclear else None,
    )


BY_NAME = {
    "standard": Title(zh="标准地址", en="its standard name"),
    "former": Title(zh="曾用名", en="a former name"),
    "alias": Title(zh="别名", en="another name that it has"),
}


async def _by_name(call: Call, spelling: str, division_code: str | None) -> list[Candidate]:
    found = {it.address: it for it in reversed(await named(call.db, spelling, division_code, MOST))}
    return [
        Candidate(address=it.address, written=it.name, score=100, reasons=[BY_NAME[it.kind]])
        for it in sorted(found.values(), key=lambda it: list(BY_NAME).index(it.kind))
    ]


async def _likely(call: Call, read: Parts, division_code: str) -> list[Candidate]:
    alike = like_streets(read.street, await streets(call.db, division_code))
    found = [
        (likeness(read, parts), id_, written)
        for id_, written, parts in await numbered(call.db, division_code, alike, read, 5 * MOST)
    ]
    best = sorted(found, key=lambda it: (-it[0].score, it[1]))
    return [
        Candidate(address=id_, written=written, score=like.score, reasons=list(like.reasons))
        for like, id_, written in best
        if like.score >= ENOUGH
    ]


@router.post("/{address}/names", power=Powers.KEEP_REGISTERS, response_model=AddressFacts)
async def name(address: str, body: AddressName, call: Call) -> Response:
    """What else the address is called, or was: it is found by that name from now on."""
    return await call.change(ADDRESS, address, Name(body), view=as_held)


@router.get("", power=Powers.READ_ADDRESSES)
async def all_addresses(
    call: Call, grid: str | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[AddressRow]:
    """Addresses, of one grid if you name it."""
    await call.fresh(territory)
    after = decode_cursor(cursor, str)[0] if cursor else ""
    rows = [
        AddressRow(
            address=row["id"],
            written=row["written"],
            division_code=row["division_code"],
            grid=row["grid"],
            place=Place(longitude=row["longitude"], latitude=row["latitude"]),
        )
        for row in await page(call.db, grid, after, limit)
    ]
    return Page[AddressRow].of(rows, limit, lambda row: [row.address])


@router.get("/{address}", power=Powers.READ_ADDRESSES, response_model=AddressFacts)
async def one_address(address: str, call: Call, when: When) -> Response:
    """An address by its id, now or as it was."""
    if when.now:
        return await call.read(ADDRESS, address, as_held)
    found = await as_known(call, ADDRESS, address, when)
    return Response(found.model_dump_json(), media_type="application/json")
