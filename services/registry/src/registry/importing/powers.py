"""The power list from JSON: a list of entries, each as the published event has it. It is short, so it is read whole."""

from collections.abc import Iterator, Sequence
from typing import IO, Any, cast

import orjson
from contracts.registry import PowerFacts
from edge.body import too_deep
from pydantic import ValidationError

from registry.domain.faults import Fault, Why
from registry.importing.reading import Read
from registry.importing.sheets import Entry
from registry.importing.table import NotATable

MAX_POWERS = 1_000


def read_powers(file: IO[bytes]) -> list[Read]:
    """Each entry by its number, counted from 1, or what is wrong with it. Raises NotATable if it is no such list."""
    file.seek(0)
    content = file.read()
    if too_deep(content):
        raise NotATable("this JSON is nested too deeply: send a list of powers", "JSON 嵌套过深：应为权力的数组")
    try:
        entries = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise NotATable("this is not JSON: send a list of powers", "不是有效的 JSON：应为权力的数组") from None
    if not isinstance(entries, list):
        raise NotATable("this is no list: send powers as [{…}, {…}]", "不是数组：应为 [{…}, {…}]")
    if len(cast("Sequence[Any]", entries)) > MAX_POWERS:
        raise NotATable(f"this list has more than {MAX_POWERS} powers", f"清单超过 {MAX_POWERS} 项权力")
    return list(_each(cast("Sequence[Any]", entries)))


def _each(entries: Sequence[Any]) -> Iterator[Read]:
    for number, entry in enumerate(entries, 1):
        try:
            facts = PowerFacts.model_validate_json(orjson.dumps(entry))
        except ValidationError as error:
            wrong = error.errors(include_input=False, include_url=False, include_context=False)[0]
            yield Read(number, Fault(".".join(map(str, wrong["loc"])) or "row", Why.NOT_A_POWER))
        else:
            yield Read(number, Entry(facts.power, facts))
