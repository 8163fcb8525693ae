"""Words that several services share."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Place(BaseModel):
    """A point in WGS-84, in degrees. Maps and phones in China deliver GCJ-02: convert on the way in."""

    model_config = ConfigDict(frozen=True)

    longitude: Annotated[float, Field(ge=-180, le=180)]
    latitude: Annotated[float, Field(ge=-90, le=90)]


class Title(BaseModel):
    """A text for users in both languages."""

    model_config = ConfigDict(frozen=True)

    zh: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]


class Post(StrEnum):
    """A post in community policing and grid management, highest first within each kind."""

    GRID_INSTRUCTOR = "grid_instructor"  # 网格指导员
    GRID_LEADER = "grid_leader"  # 网格长
    GRID_WORKER = "grid_worker"  # 网格员
    COMMUNITY_OFFICER = "community_officer"  # 社区民警
    AUXILIARY = "auxiliary"  # 协警


class Residency(StrEnum):
    """How a person lives here."""

    PERMANENT = "permanent"  # 常住
    FLOATING = "floating"  # 流动


class UnitCategory(StrEnum):
    """Kinds of units (实有单位) that the sample community has."""

    SHOP = "shop"
    HOTEL = "hotel"
    CHESS_ROOM = "chess_room"  # 棋牌室
    FOOT_BATH = "foot_bath"  # 足浴店
