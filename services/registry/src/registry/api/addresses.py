"""Standard addresses (标准地址)."""

from contracts.common import Place
from contracts.registry import AddressFacts
from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from fastapi import Response
from pydantic import BaseModel

from registry.api.history import When, as_known
from registry.api.powers import Powers
from registry.api.views import as_held
from registry.domain.address import ADDRESS
from registry.read_models.territory import page, territory

router = Router(prefix="/addresses", tags=["addresses"])


class AddressRow(BaseModel):
    """An address in a list."""

    address: str
    written: str
    division_code: str
    grid: str | None
    place: Place


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
