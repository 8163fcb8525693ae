"""A table as JSON: a list of objects, or an object in each line (NDJSON), with columns as keys.

What an object does not name is empty. Numbers, true and false are taken as one would write them; null is nothing.
"""

from collections.abc import Iterator, Mapping
from typing import IO, Any, cast

import orjson
from edge.body import too_deep

from registry.domain.faults import Why
from registry.importing.table import MAX_COLUMNS, MAX_LINES, NotATable, Record, Table
from registry.importing.workbook import written

MAX_LIST = 16 * 1024 * 1024
"""Bytes: a list is read whole."""
MAX_LINE = 65_536
BOM = b"\xef\xbb\xbf"


def is_json(file: IO[bytes]) -> bool:
    """Whether it begins as JSON."""
    return _first(file) in (b"[", b"{")


def _first(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(1024).removeprefix(BOM).lstrip()[:1]


def open_objects(file: IO[bytes]) -> Table:
    """The table in this JSON; its lines are the numbers of the elements, or lines. Raises NotATable."""
    if _first(file) == b"[":
        elements = list(enumerate(_list(file), 1))
        columns = _columns(element for _, element in elements)
        return _table(columns, len(elements), iter(elements))
    lines = 0

    def counted() -> Iterator[Any]:
        nonlocal lines
        for lines, element in _lines(file):  # noqa: B007  # it is counted
            yield element

    columns = _columns(counted())
    if lines > MAX_LINES:
        raise NotATable(
            f"this file has more than {MAX_LINES} lines: send it in parts", f"文件超过 {MAX_LINES} 行：请分成几个文件"
        )
    return _table(columns, lines, _lines(file))


def _table(columns: list[str], lines: int, elements: Iterator[tuple[int, Any]]) -> Table:
    return Table(columns, columns, lines, (_record(line, it, columns) for line, it in elements), open_ended=True)


def _list(file: IO[bytes]) -> list[Any]:
    if file.seek(0, 2) > MAX_LIST:
        raise NotATable(
            f"a list may have {MAX_LIST >> 20} MiB: send an object in each line (application/x-ndjson)",
            f"JSON 数组至多 {MAX_LIST >> 20} MiB：请改为每行一个对象（application/x-ndjson）",
        )
    file.seek(0)
    content = file.read().removeprefix(BOM)
    if too_deep(content):
        raise NotATable("this JSON is nested too deeply: send a list of objects", "JSON 嵌套过深：应为对象的数组")
    try:
        return cast("list[Any]", orjson.loads(content))
    except orjson.JSONDecodeError:
        raise NotATable(
            "this is not JSON: send a list of objects, [{…}, {…}]", "不是有效的 JSON：应为对象的数组"
        ) from None


def _lines(file: IO[bytes]) -> Iterator[tuple[int, Any]]:
    """Each line that is not blank; what is no JSON as a text, which is no object."""
    file.seek(0)
    number = 0
    while line := file.readline(MAX_LINE):
        number += 1
        rest = line
        while len(rest) == MAX_LINE and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE)
        if number == 1:
            line = line.removeprefix(BOM)
        if line.strip():
            try:
                yield number, orjson.loads(line)
            except orjson.JSONDecodeError:
                yield number, ""


def _columns(elements: Iterator[Any]) -> list[str]:
    columns: dict[str, None] = {}
    for element in elements:
        if isinstance(element, dict) and not (keys := cast("dict[str, Any]", element).keys()) <= columns.keys():
            columns |= dict.fromkeys(keys)
            if len(columns) > MAX_COLUMNS:
                raise NotATable(f"these objects have more than {MAX_COLUMNS} keys", f"对象的键超过 {MAX_COLUMNS} 个")
    return list(columns)


def _record(line: int, element: Any, columns: list[str]) -> Record:
    if not isinstance(element, dict):
        return Record(line, [""] * len(columns), Why.NOT_AN_OBJECT)
    it = cast("Mapping[str, Any]", element)
    if any(isinstance(value, dict | list) for value in it.values()):
        return Record(line, [_text(it.get(column)) for column in columns], Why.NESTED)
    return Record(line, [_text(it.get(column)) for column in columns])


def _text(value: Any) -> str:
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else written(value)
