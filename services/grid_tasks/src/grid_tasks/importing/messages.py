"""What another system's message says, by its mapping, as the body of `PUT /relayed/{number}`.

{"source": "hotline_12345", "columns": {
    "number": "工单号",
    "category": {"from": "问题类别", "values": {"噪音": "neighbour_noise"}},
    "longitude": "位置.经度", "latitude": "位置.纬度",
    "through": {"value": "hotline"}}}

`位置.经度` is a field of the object in the field `位置`. Fields with our own names need no mapping.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, NamedTuple, cast

import orjson
from contracts.common import Place
from edge import HttpProblem
from edge.body import too_deep
from edge.mapping import Mapped
from edge.problems import FieldError, invalid_input
from pydantic import Field, model_validator

from grid_tasks.domain.working_time import CHINA

COLUMNS = (
    "number",
    "category",
    "description",
    "longitude",
    "latitude",
    "address",
    "at",
    "contact",
    "through",
)
MAX_MESSAGE = 65_536
"""Bytes."""
_NUMBER = re.compile("[!-.0-~]{1,200}")
_EPOCH = re.compile(r"\d{10}(\d{3})?")


class Reports(Mapped):
    """A mapping for reports. `source` is the client id of the system whose topic it is: the power list says by it
    whether it may pass reports on. `nowhere` stands for the place of a report that has only an address."""

    nowhere: Place | None = Field(
        default=None, description="A point outside every grid: what has only an address is put there"
    )

    @model_validator(mode="after")
    def _whose_and_which(self) -> "Reports":
        if self.source is None:
            raise ValueError("say in source whose topic it is: the client id of that system")
        if unknown := self.columns.keys() - set(COLUMNS):
            raise ValueError(f"columns has no {', '.join(sorted(unknown))}; there are {', '.join(COLUMNS)}")
        return self

    @property
    def partner(self) -> str:
        """Who passes the reports on."""
        return self.source or ""


class Sent(NamedTuple):
    """A report by its number in the other system, and the body of the request that it is."""

    number: str
    body: Mapping[str, Any]


def read(message: bytes, mapped: Reports) -> Sent:
    """What the message says; whether that is a report, the route will judge. Raises HttpProblem where it is no object,
    or has no number."""
    theirs = dict(_flat(_object(message)))
    ours = {
        column: mapped.columns[column].reading(mapped.columns[column].headings)(theirs).strip()
        if column in mapped.columns
        else theirs.get(column, "").strip()
        for column in COLUMNS
    }
    if not _NUMBER.fullmatch(ours["number"]):
        raise invalid_input([_NO_NUMBER])
    body: dict[str, Any] = {name: ours[name] for name in ("category", "contact", "through") if ours[name]}
    if words := "\n".join(filter(None, (ours["description"], ours["address"]))):
        body["description"] = words
    if ours["longitude"] or ours["latitude"]:
        body["place"] = {name: _number(ours[name]) for name in ("longitude", "latitude") if ours[name]}
    elif ours["address"] and mapped.nowhere:
        body["place"] = mapped.nowhere.model_dump()
    if ours["at"]:
        body["at"] = _moment(ours["at"])
    return Sent(ours["number"], body)


_NO_NUMBER = FieldError(
    place="body",
    field="number",
    message="must be 1 to 200 characters of ASCII, without spaces and /",
    message_zh="应为 1 至 200 个 ASCII 字符，不含空格和 /",
)


def _object(message: bytes) -> Mapping[str, Any]:
    if len(message) > MAX_MESSAGE:
        raise HttpProblem("body-too-large", f"a message may have {MAX_MESSAGE >> 10} KiB")
    if too_deep(message):
        raise HttpProblem("too-deep", "the message is nested too deeply: send a JSON object")
    try:
        found = orjson.loads(message)
    except orjson.JSONDecodeError:
        raise HttpProblem("bad-json", "the message is not JSON in UTF-8: send a JSON object") from None
    if not isinstance(found, dict):
        raise HttpProblem("bad-json", "the message is no JSON object")
    return cast("Mapping[str, Any]", found)


def _flat(it: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    """Each field with its text, those of inner objects with their path; lists are passed over."""
    for name, value in it.items():
        match value:
            case dict():
                yield from _flat(cast("Mapping[str, Any]", value), f"{within}{name}.")
            case None | list():
                pass
            case str():
                yield f"{within}{name}", value
            case _:
                yield f"{within}{name}", orjson.dumps(value).decode()


def _number(text: str) -> float | str:
    """What is no number stays as it is, for the route to say so."""
    try:
        found = float(text)
    except ValueError:
        return text
    return found if isfinite(found) else text


def _moment(text: str) -> str:
    """As RFC 3339 has it: seconds or milliseconds since 1970 too, and without an offset by China's time, as systems
    there write it. What is none of these stays as it is."""
    if _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(text) / (1000 if len(text) == len("1795400000000") else 1), UTC).isoformat()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (found if found.tzinfo else found.replace(tzinfo=CHINA)).isoformat()
