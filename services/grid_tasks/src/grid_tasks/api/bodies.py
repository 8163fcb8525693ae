"""What several routes take."""

from typing import Annotated

from contracts.common import Place
from fastapi import Header, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Receipt = Annotated[str | None, Header(max_length=200, description="The secret that was answered to the report (回执)")]
Filter = Annotated[str | None, Query(max_length=200)]
Evidence = Annotated[
    tuple[Name, ...], Field(max_length=20, strict=False, description="Ids of photos and other files: POST /evidence")
]


_NEVER = r"@\u0000-\u0020\u007f-\u00a0,;<>"  # not \s, which means more in Python than in JSON Schema
Email = Annotated[str, StringConstraints(pattern=f"^[^{_NEVER}]{{1,64}}@[^{_NEVER}]{{1,190}}$")]


class Body(BaseModel):
    """What is sent: nothing that is not asked for, and no number as a text."""

    model_config = ConfigDict(extra="forbid", strict=True)


class PlaceBody(Body):
    """A point in WGS-84, in degrees. Convert GCJ-02 and BD-09, which maps and phones in China deliver, before."""

    longitude: float = Field(ge=-180, le=180)
    latitude: float = Field(ge=-90, le=90)

    def point(self) -> Place:
        """As events say it."""
        return Place(longitude=self.longitude, latitude=self.latitude)
