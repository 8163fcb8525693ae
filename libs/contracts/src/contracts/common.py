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
    REGISTRAR = "registrar"  # 登记员: keeps the registers and lists
    DEPUTY_SECRETARY = "deputy_secretary"  # 社区党组织副书记, which a community police officer often is besides
    DEPARTMENT_LIAISON = "department_liaison"  # 部门联络员
    PARTNER_ORGANISATION = "partner_organisation"  # 红色联盟单位
    VOLUNTEER_PATROL = "volunteer_patrol"  # 义务巡逻队员
    INFORMANT = "informant"  # 信息员
    SECURITY_GUARD = "security_guard"  # 保安
    BUILDING_HEAD = "building_head"  # 楼道长
    RESIDENT_ACTIVIST = "resident_activist"  # 居民骨干


class Scope(StrEnum):
    """How far a power reaches, from the holder's own grid outwards."""

    OWN_GRID = "own_grid"  # 本网格
    COMMUNITY = "community"  # 本社区: grids with the holder's division code
    DIVISION = "division"  # 本区划: grids whose division code begins as the holder's does
    ALL = "all"  # 全部


class HolderKind(StrEnum):
    """What kind of caller a power is given to."""

    ANYONE = "anyone"  # 任何人, without a token too
    POST = "post"  # 岗位: whoever is in it, by the roster
    PARTNER = "partner"  # 对接系统: another government's system, by the client in its token


QUOTA = r"^[1-9][0-9]{0,6}/[1-9][0-9]{0,4}$"
"""How a quota is written: `1200/400` is 1,200 a minute, of which 400 may come at once."""


class Holder(BaseModel):
    """Who may hold a power, and how far it reaches for them."""

    model_config = ConfigDict(frozen=True)

    kind: HolderKind
    name: str = ""
    """The post, or the partner's client id; empty for anyone."""
    scope: Scope
    quota: Annotated[str, Field(pattern=QUOTA)] | None = None
    """How often a partner may use it, like `60/20`: 60 a minute, of which 20 at once. Without one, as often as callers
    may ask at all."""


class Purpose(BaseModel):
    """What a power may be used for (使用目的), and the personal fields seen for it, no others (PIPL article 6). For
    `keys.read`: the kinds of things whose keys are given out, like `member`."""

    model_config = ConfigDict(frozen=True)

    purpose: Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,63}$")]
    fields: tuple[str, ...] = ()


class Residency(StrEnum):
    """How a person lives here."""

    PERMANENT = "permanent"  # 常住
    FLOATING = "floating"  # 流动
    REGISTERED_ELSEWHERE = "registered_elsewhere"  # 人户分离: registered here (户籍), living somewhere else
    VISITOR = "visitor"  # 暂住、探亲


class Presence(StrEnum):
    """Whether somebody is to be found here."""

    HERE = "here"  # 实有
    MOVED_OUT = "moved_out"  # 迁出
    DIED = "died"  # 死亡


class IdentityDocument(StrEnum):
    """What somebody's identity number is the number of."""

    IDENTITY_CARD = "identity_card"  # 居民身份证, GB 11643
    PASSPORT = "passport"  # 护照
    HK_MACAO_PERMIT = "hk_macao_permit"  # 港澳居民来往内地通行证
    TAIWAN_PERMIT = "taiwan_permit"  # 台湾居民来往大陆通行证
    RESIDENCE_PERMIT = "residence_permit"  # 港澳台居民居住证: 18 digits that begin with 81, 82 or 83
    FOREIGN_RESIDENT_CARD = "foreign_resident_card"  # 外国人永久居留身份证
    NONE = "none"  # 无证件


class DeadlineClock(StrEnum):
    """In which hours a deadline runs."""

    CLOCK_HOURS = "clock_hours"  # 自然时
    WORKING_HOURS = "working_hours"  # 工作时: by the working calendar


class Tenure(StrEnum):
    """Who lives in a house."""

    OWNED = "owned"  # 自住
    LET = "let"  # 出租
    EMPTY = "empty"  # 空置


class ErasureGround(StrEnum):
    """Why somebody's data is erased: PIPL (个人信息保护法) article 47."""

    PURPOSE_ACHIEVED = "purpose_achieved"  # 处理目的已实现、无法实现或者不再必要
    RETENTION_OVER = "retention_over"  # 停止提供服务，或者保存期限已届满
    CONSENT_WITHDRAWN = "consent_withdrawn"  # 个人撤回同意
    UNLAWFUL = "unlawful"  # 违反法律、行政法规或者违反约定处理个人信息
    OTHER_LAW = "other_law"  # 法律、行政法规规定的其他情形


class UnitCategory(StrEnum):
    """Kinds of units (实有单位)."""

    SHOP = "shop"
    HOTEL = "hotel"
    CHESS_ROOM = "chess_room"  # 棋牌室
    FOOT_BATH = "foot_bath"  # 足浴店
    COMPANY = "company"  # 公司
    SCHOOL = "school"  # 学校、幼儿园
