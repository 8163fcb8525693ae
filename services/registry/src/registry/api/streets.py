"""Streets (街路): one that is renamed, with all addresses on it."""

from datetime import date
from typing import Annotated

from contracts.registry import StreetRenamed
from edge import Call, Router
from fastapi import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from registry.api.addresses import DIVISION
from registry.api.powers import Powers
from registry.domain.street import STREET

router = Router(prefix="/streets", tags=["streets"])

StreetName = Annotated[str, StringConstraints(min_length=2, max_length=100)]


class RenamingBody(BaseModel):
    """A street of a community has another name from a day on."""

    model_config = ConfigDict(extra="forbid")

    division_code: Annotated[str, StringConstraints(pattern=DIVISION)]
    street: StreetName = Field(alias="from", examples=["蚕花路"])
    renamed: StreetName = Field(alias="to", examples=["桑田路"])
    on: date = Field(description="The first day of the new name; today or before")


class RenamingView(BaseModel):
    """What was decided."""

    renaming: str
    division_code: str
    street: str = Field(serialization_alias="from")
    renamed: str = Field(serialization_alias="to")
    on: date
    at: AwareDatetime


@router.post("/renamings", power=Powers.KEEP_REGISTERS, status_code=201, response_model=RenamingView)
async def rename(body: RenamingBody, call: Call) -> Response:
    """Renames a street. The addresses on it follow by themselves, some thousands a second, and are found by both
    names."""
    id_ = call.new_id()
    renamed = StreetRenamed(
        renaming=id_,
        division_code=body.division_code,
        street=body.street,
        renamed=body.renamed,
        on=body.on,
        by=call.require_caller(),
        at=call.now,
    )
    return await call.create(STREET, id_, renamed, view=_view, location="/streets/renamings/{id}")


@router.get("/renamings/{renaming}", power=Powers.READ_ADDRESSES, response_model=RenamingView)
async def one_renaming(renaming: str, call: Call) -> Response:
    """A renaming by its id."""
    return await call.read(STREET, renaming, _view)


def _view(renamed: StreetRenamed | None, _version: int) -> dict[str, object]:
    assert renamed is not None  # noqa: S101  # a renaming with a version has been decided
    view = RenamingView.model_validate(renamed.model_dump(exclude={"by"}))
    return view.model_dump(mode="json", by_alias=True)
