"""The registers as files to take away (快照): each as it stands at one moment, within the caller's powers and reach.

Whoever goes on with the topics from there applies the events whose `ce_position` is above `Snapshot-Position`.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from edge import Call, HttpProblem, Router
from edge.call import HttpCall
from events import Position, Refused
from fastapi import Query
from fastapi.responses import StreamingResponse

from registry.api.powers import Powers
from registry.exporting.forms import BATCH, MEDIA, WRITERS, Form
from registry.read_models.snapshots import SNAPSHOTS, Snapshot, reading

router = Router(prefix="/snapshots", tags=["snapshots"])

AT_ONCE = 4
"""Snapshots that one process gives out at the same time: each keeps a connection to the database."""

POWERS = {
    "grids": Powers.READ_GRIDS,
    "addresses": Powers.READ_ADDRESSES,
    "buildings": Powers.READ_BUILDINGS,
    "households": Powers.READ_HOUSEHOLDS,
    "people": Powers.READ_PEOPLE,
    "units": Powers.READ_UNITS,
    "roster": Powers.READ_ROSTER,
    "duties": Powers.READ_DUTIES,
}
"""By register, the power that shows its list."""
ON_RECORD = {"households", "people"}
"""Whoever takes away all residents within their reach, if masked, is on the audit log."""

OBJECT = {"type": "object"}
BYTES = {"type": "string", "format": "binary"}

in_hand: set[object] = set()
"""The snapshots that this process is giving out."""


class NotInThisForm(Refused):
    """The register is not given out in the form that was asked for."""

    reason = "not-in-this-form"


def _describe(register: str) -> dict[int | str, dict[str, Any]]:
    forms = [it for it in Form if it is not Form.GEOJSON or SNAPSHOTS[register].geometry]
    return {
        200: {
            "description": "The register, all of one moment",
            "content": {MEDIA[it]: {"schema": OBJECT if it is Form.GEOJSON else BYTES} for it in forms},
            "headers": {
                "Snapshot-Position": {
                    "description": "Every event with a `ce_position` up to this one is in it",
                    "schema": {"type": "string", "examples": ["1.8123.45"]},
                }
            },
        }
    }


def _given_out(register: str) -> None:
    @router.get(
        f"/{register}",
        power=POWERS[register],
        name=f"snapshot_of_{register}",
        response_class=StreamingResponse,
        responses=_describe(register),
    )
    async def give(
        call: Call,
        format: Annotated[Form | None, Query(description="Instead of `Accept`")] = None,
    ) -> StreamingResponse:
        """The whole register within your reach, as CSV, JSON lines or Parquet, and as GeoJSON where it lies on the map:
        by `Accept` or `format`. Names and numbers of people are masked, contacts are left out."""
        snapshot = SNAPSHOTS[register]
        form = format or _accepted(call.request.headers.get("Accept", "*/*"))
        if form is None or (form is Form.GEOJSON and not snapshot.geometry):
            raise NotInThisForm("ask for text/csv, application/x-ndjson or application/vnd.apache.parquet")
        await call.fresh(*snapshot.read_models)
        if len(in_hand) >= AT_ONCE:
            raise HttpProblem("not-ready", "others take snapshots; repeat in a moment", headers={"Retry-After": "5"})
        if register in ON_RECORD:
            await call.put_on_record()
        pieces = _pieces(call, snapshot, form)
        position = await anext(pieces)
        headers = {
            "Snapshot-Position": str(position),
            "Content-Disposition": f'attachment; filename="{register}.{form.value}"',
        }
        return StreamingResponse(pieces, headers=headers, media_type=MEDIA[form])  # type: ignore[arg-type]


def _accepted(header: str) -> Form | None:
    """The form that the caller likes best; CSV if they do not mind."""
    wished: list[tuple[float, str]] = []
    for it in header.split(","):
        media_type, *parameters = [part.strip().lower() for part in it.split(";")]
        quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        wished.append((-float(quality) if quality.replace(".", "", 1).isdigit() else 0.0, media_type))
    by_type = {media: form for form, media in MEDIA.items()} | dict.fromkeys(("*/*", "text/*"), Form.CSV)
    ordered = [by_type[media_type] for quality, media_type in sorted(wished) if quality and media_type in by_type]
    return ordered[0] if ordered else None


async def _pieces(call: HttpCall, snapshot: Snapshot, form: Form) -> AsyncGenerator[Position | bytes]:
    """First the position, then the file. pyarrow works in a thread, for a row group takes long."""
    turn = object()
    in_hand.add(turn)
    try:
        async with reading(call.db, snapshot, call.grant.sql) as found:
            yield found.position
            writer = await asyncio.to_thread(WRITERS[form], snapshot.columns)
            yield writer.begin()
            async for rows in found.batches(BATCH[form]):
                yield await asyncio.to_thread(writer.rows, rows)
            yield writer.end()
    finally:
        in_hand.discard(turn)


def _all() -> None:
    for register in SNAPSHOTS:
        _given_out(register)


_all()
