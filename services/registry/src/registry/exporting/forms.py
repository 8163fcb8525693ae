"""The forms that rows are given out in: CSV, JSON lines, GeoJSON and Parquet, each written piece by piece."""

import csv
import io
from collections.abc import Callable, Sequence
from enum import StrEnum
from importlib import import_module
from typing import Any, Protocol

import orjson

from registry.domain.formulas import safe
from registry.read_models.snapshots import Column

Rows = Sequence[tuple[Any, ...]]
"""The cells of each row by column, and its geometry as the last."""


class Form(StrEnum):
    """A form, by the name that `?format=` gives it."""

    CSV = "csv"
    NDJSON = "ndjson"
    GEOJSON = "geojson"
    PARQUET = "parquet"


MEDIA = {
    Form.CSV: "text/csv",
    Form.NDJSON: "application/x-ndjson",
    Form.GEOJSON: "application/geo+json",
    Form.PARQUET: "application/vnd.apache.parquet",
}
BATCH = {Form.CSV: 1_000, Form.NDJSON: 1_000, Form.GEOJSON: 1_000, Form.PARQUET: 10_000}
"""Rows at a time; of Parquet, a row group."""


class Writer(Protocol):
    """What turns rows into bytes: `begin`, then `rows` again and again, then `end`."""

    def begin(self) -> bytes: ...
    def rows(self, rows: Rows) -> bytes: ...
    def end(self) -> bytes: ...


class Csv:
    """As spreadsheets read it. A text that they would take for a formula begins with an apostrophe, which the import
    takes off again."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns

    def begin(self) -> bytes:
        """The names of the columns."""
        return self._lines([[it.name for it in self._columns]])

    def rows(self, rows: Rows) -> bytes:
        """A line for each."""
        return self._lines([[_cell(value) for value in row[:-1]] for row in rows])

    def end(self) -> bytes:
        """Nothing."""
        return b""

    def _lines(self, lines: Sequence[Sequence[object]]) -> bytes:
        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerows(lines)
        return text.getvalue().encode()


def _cell(value: object) -> object:
    return safe(value) if isinstance(value, str) else value


class JsonLines:
    """A JSON object in each line."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._names = [it.name for it in columns]

    def begin(self) -> bytes:
        """Nothing."""
        return b""

    def rows(self, rows: Rows) -> bytes:
        """An object for each."""
        return b"".join(
            orjson.dumps(dict(zip(self._names, row, strict=False)), option=orjson.OPT_APPEND_NEWLINE) for row in rows
        )

    def end(self) -> bytes:
        """Nothing."""
        return b""


class GeoJson:
    """A FeatureCollection (RFC 7946), a feature in each line."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._names = [it.name for it in columns]
        self._between = b"\n"

    def begin(self) -> bytes:
        """The collection opens."""
        return b'{"type":"FeatureCollection","features":['

    def rows(self, rows: Rows) -> bytes:
        """A feature for each; its first column is its id too."""
        written: list[bytes] = []
        for row in rows:
            feature = {
                "type": "Feature",
                "id": row[0],
                "geometry": orjson.Fragment(row[-1] or "null"),
                "properties": dict(zip(self._names, row, strict=False)),
            }
            written += [self._between, orjson.dumps(feature)]
            self._between = b",\n"
        return b"".join(written)

    def end(self) -> bytes:
        """It closes."""
        return b"\n]}\n"


class _Sink(io.RawIOBase):
    """Where Parquet is written to, piece by piece."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, data: Any, /) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._written += len(part)
        return len(part)

    def taken(self) -> bytes:
        """What was written since."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


class Parquet:
    """Apache Parquet, a row group for each batch. pyarrow is loaded when the first is asked for: it is larger than the
    rest of the service."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._arrow: Any = import_module("pyarrow")
        kinds = {
            "text": self._arrow.string(),
            "whole": self._arrow.int64(),
            "number": self._arrow.float64(),
            "day": self._arrow.date32(),
        }
        self._schema: Any = self._arrow.schema([(it.name, kinds[it.kind]) for it in columns])
        self._sink = _Sink()
        self._writer: Any = import_module("pyarrow.parquet").ParquetWriter(self._sink, self._schema, compression="zstd")

    def begin(self) -> bytes:
        """Its first bytes."""
        return self._sink.taken()

    def rows(self, rows: Rows) -> bytes:
        """A row group."""
        cells = list(zip(*rows, strict=True))[:-1]
        arrays = [self._arrow.array(it, type=field.type) for it, field in zip(cells, self._schema, strict=True)]
        self._writer.write_table(self._arrow.Table.from_arrays(arrays, schema=self._schema))
        return self._sink.taken()

    def end(self) -> bytes:
        """Where everything is."""
        self._writer.close()
        return self._sink.taken()


WRITERS: dict[Form, Callable[[Sequence[Column]], Writer]] = {
    Form.CSV: Csv,
    Form.NDJSON: JsonLines,
    Form.GEOJSON: GeoJson,
    Form.PARQUET: Parquet,
}
