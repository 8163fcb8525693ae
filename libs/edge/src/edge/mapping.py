"""How a source's fields become ours: its mapping file, which operators write and partners send.

{"source": "psb", "columns": {
    "name": "姓名",
    "sex": {"from": "性别", "values": {"男": "1", "女": "2"}},
    "residency": {"value": "permanent"},
    "address_ref": {"join": ["楼", "室"], "with": "-"}}}
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, TypeVar

from contracts.common import Title
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

MAX_MAPPING = 65_536
"""Bytes."""

Heading = Annotated[str, Field(min_length=1, max_length=200)]
Reading = Callable[[Mapping[str, str]], str]
"""What goes into one of our columns, from a row by the source's headings."""


class NotAMapping(Exception):
    """This is no mapping; `said` tells where it is wrong and what would be right, in both languages."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.said = Title(en=en, zh=zh)


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

    def reading(self, headings: Sequence[str]) -> Reading:
        """How to take it from rows that have `headings` where this names its own; what a row has not is empty."""
        if self.value is not None:
            return lambda _: self.value or ""
        if self.join:
            return lambda sent: self.with_.join(filter(None, (sent.get(it, "") for it in headings)))
        return lambda sent: self.values.get(value := sent.get(headings[0], ""), value)


class Mapped(BaseModel):
    """A mapping file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    source: Annotated[str, Field(pattern=r"^[\w.-]{1,64}$")] | None = Field(
        default=None, description="Whose file it is"
    )
    columns: dict[str, Annotated[Taken, BeforeValidator(_short)]] = {}


M = TypeVar("M", bound=Mapped)

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


def read_mapping(content: str | bytes, form: type[M]) -> M:
    """The mapping in this JSON. Raises NotAMapping, which names the field and what is wrong with it."""
    if len(content) > MAX_MAPPING:
        raise NotAMapping("the mapping is larger than 64 KiB", "映射文件超过 64 KiB")
    try:
        return form.model_validate_json(content)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(["mapping", *map(str, wrong["loc"])])
        message = wrong["msg"].removeprefix("Value error, ")
        raise NotAMapping(f"{where}: {message}", f"{where}：{ZH.get(wrong['type'], '格式不对')}") from None
