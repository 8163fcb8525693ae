"""From a source's columns to ours: by its mapping file, by the headings that Chinese forms have, or by our own names.

{"source": "psb", "columns": {
    "name": "姓名",
    "sex": {"from": "性别", "values": {"男": "1", "女": "2"}},
    "residency": {"value": "permanent"},
    "address_ref": {"join": ["楼", "室"], "with": "-"}}}
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from registry.domain.faults import Fault, Why
from registry.importing.cells import MADE_A_NUMBER
from registry.importing.headings import HEADINGS, VALUES, heading, meant, unmarked
from registry.importing.table import NotATable, Table, require

MAX_MAPPING = 65_536
"""Bytes."""

CODES = frozenset({"division_code", "sex"})
"""Numbers that are codes, whose digits may be of full width."""

Heading = Annotated[str, Field(min_length=1, max_length=200)]


def _short(it: object) -> object:
    """`"姓名"` is short for `{"from": "姓名"}`."""
    return {"from": it} if isinstance(it, str) else it


class Taken(BaseModel):
    """What goes into one of our columns: what stands in one of theirs, perhaps by other words; always the same; or
    several of theirs in a row."""

    model_config = ConfigDict(extra="forbid", strict=True)

    from_: Heading | None = Field(default=None, alias="from", description="Their heading")
    values: dict[str, str] = Field(default={}, max_length=1000, description="Their words, and ours")
    value: Annotated[str, Field(max_length=500)] | None = Field(default=None, description="What stands in every row")
    join: Annotated[list[Heading], Field(min_length=2, max_length=10)] | None = Field(
        None, description="Their headings"
    )
    with_: Annotated[str, Field(max_length=10)] = Field(
        default="", alias="with", description="What stands between them"
    )

    @model_validator(mode="after")
    def _one_way(self) -> "Taken":
        if [self.from_, self.value, self.join].count(None) != 2:
            raise ValueError("say one of `from`, `value` and `join`")
        if self.values and self.from_ is None:
            raise ValueError("`values` goes with `from`")
        if self.with_ and self.join is None:
            raise ValueError("`with` goes with `join`")
        return self

    @property
    def headings(self) -> Sequence[str]:
        """Those that it takes from."""
        return self.join or ([self.from_] if self.from_ is not None else [])


class Mapped(BaseModel):
    """A mapping file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    source: Annotated[str, Field(pattern=r"^[\w.-]{1,64}$")] | None = Field(
        default=None, description="Whose file it is"
    )
    columns: dict[str, Annotated[Taken, BeforeValidator(_short)]] = {}


ZH = {
    "extra_forbidden": "没有这个字段",
    "missing": "必填",
    "string_type": "应为文本",
    "dict_type": "应为对象",
    "list_type": "应为数组",
    "model_type": "应为对象",
    "string_pattern_mismatch": "只能含文字、数字、点、横线和下划线",
    "json_invalid": "不是有效的 JSON",
}


def read_mapping(content: str | bytes) -> Mapped:
    """The mapping in this JSON. Raises NotATable, which names the field and what is wrong with it."""
    if len(content) > MAX_MAPPING:
        raise NotATable("the mapping is larger than 64 KiB", "映射文件超过 64 KiB")
    try:
        return Mapped.model_validate_json(content)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(["mapping", *map(str, wrong["loc"])])
        message = wrong["msg"].removeprefix("Value error, ")
        raise NotATable(f"{where}: {message}", f"{where}：{ZH.get(wrong['type'], '格式不对')}") from None


Reading = Callable[[Mapping[str, str]], str]


@dataclass(frozen=True)
class Plan:
    """How each of our columns comes from the source's; `headings` says, for people, from which."""

    register: str
    readings: Mapping[str, Reading]
    headings: Mapping[str, Sequence[str]]

    def cells(self, sent: Mapping[str, str]) -> dict[str, str]:
        """A row by our columns; others stay as they are. Raises Fault where a reference lost digits."""
        cells = dict(sent)
        for column, read in self.readings.items():
            value = read(sent)
            if column in CODES:
                value = unicodedata.normalize("NFKC", value)
            cells[column] = VALUES.get((self.register, column), {}).get(value, value)
            if column.endswith("_ref") and MADE_A_NUMBER.fullmatch(value) and "e" in value.lower():
                raise Fault(column, Why.NUMERIC_CELL)
        return cells


def heads(register: str, required: Sequence[str], mapped: Mapped) -> Callable[[Sequence[str]], bool]:
    """Whether a row is the head of the register's table."""

    def it_does(columns: Sequence[str]) -> bool:
        try:
            _plan(register, required, mapped, columns, open_ended=False)
        except NotATable:
            return False
        return True

    return it_does


def plan(register: str, required: Sequence[str], mapped: Mapped, table: Table) -> Plan:
    """How to read this table. Raises NotATable if a column cannot be had, or in two ways."""
    return _plan(register, required, mapped, table.columns, table.open_ended)


def _plan(register: str, required: Sequence[str], mapped: Mapped, columns: Sequence[str], open_ended: bool) -> Plan:
    ours = {*required, *HEADINGS.get(register, {})}
    readings: dict[str, Reading] = {}
    headings: dict[str, Sequence[str]] = {}
    for column, taken in mapped.columns.items():
        if column not in ours:
            raise NotATable(
                f"mapping.columns.{column}: there is no such column; there are {','.join(required)}",
                f"mapping.columns.{column}：没有这一列；可用的列：{'，'.join(required)}",
            )
        headings[column] = [_found(column, it, columns, open_ended) for it in taken.headings]
        readings[column] = _reading(taken, headings[column])
    for it, column in _understood(register, columns, ours - readings.keys()).items():
        headings[column] = [it]
        readings[column] = _same(it)
    if not open_ended:
        require([*readings], required, lambda column: f"{column}（{heading(register, column)}）")
    for column in required:
        readings.setdefault(column, _nothing)
    return Plan(register, readings, headings)


def _understood(register: str, columns: Sequence[str], wanted: set[str]) -> dict[str, str]:
    """Headings that need no mapping, and which of the wanted columns each means. Our own names come first."""
    found = {column: column for column in columns if column in wanted}
    for it, column in meant(register, [other for other in columns if other not in found]).items():
        if column in found or column not in wanted:
            continue
        if before := next((theirs for theirs, ours in found.items() if ours == column), None):
            raise NotATable(
                f"both {before} and {it} could be {column}: say in a mapping which is",
                f"{before} 和 {it} 都可能是 {column}：请用映射文件说明",
            )
        found[it] = column
    return found


def _found(column: str, named: str, columns: Sequence[str], open_ended: bool) -> str:
    wanted = unmarked(named)
    for it in columns:
        if it == named or unmarked(it) == wanted:
            return it
    if open_ended:
        return named
    raise NotATable(
        f"mapping.columns.{column}: the file has no column {named}",
        f"mapping.columns.{column}：文件中没有“{named}”列",
    )


def _reading(taken: Taken, headings: Sequence[str]) -> Reading:
    if taken.value is not None:
        return _always(taken.value)
    if taken.join:
        return _joined(headings, taken.with_)
    same = _same(headings[0])
    return lambda sent: taken.values.get(value := same(sent), value)


def _always(value: str) -> Reading:
    return lambda _: value


def _same(named: str) -> Reading:
    return lambda sent: sent.get(named, "")


def _joined(headings: Sequence[str], between: str) -> Reading:
    return lambda sent: between.join(filter(None, (sent.get(it, "") for it in headings)))


def _nothing(_: Mapping[str, str]) -> str:
    return ""
