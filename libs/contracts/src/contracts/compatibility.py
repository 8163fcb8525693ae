"""Whether a changed schema can still be read by those who know the old one, and reads what was written by it.

Events are kept for ever, so a new class reads old events; and services are upgraded one by one, so an old class reads
new ones. What may change within a type: an optional property may be added, an enumeration may gain values, a bound may
be loosened (upgrade consumers first: an older one parks what it does not know, and reads it once upgraded), and texts
may change. Everything else is a new type.
"""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from contracts.schemas import Schema
from events.privacy.fields import PERSONAL

AT_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
AT_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
TEXTS = ("title", "description", "examples", "deprecated", "x-personal", "x-event-type", "$schema", "$defs")
STRUCTURE = ("properties", "required", "items", "prefixItems", "additionalProperties", "propertyNames")
CHOICES = ("anyOf", "oneOf")


def breaks(old: Schema, new: Schema) -> list[str]:
    """What in `new` breaks a reader of `old`, or cannot read what was written by it; empty if nothing does."""
    return list(_compared("data", _inlined(old, old.get("$defs", {})), _inlined(new, new.get("$defs", {}))))


def _inlined(value: Any, defs: dict[str, Schema]) -> Any:
    """Without references, so that a renamed model is no change. Events do not nest within themselves."""
    match value:
        case {"$ref": str(reference), **rest}:
            return _inlined({**defs[reference.rpartition("/")[2]], **rest}, defs)
        case dict():
            members = cast("Schema", value).items()
            return {keyword: _inlined(part, defs) for keyword, part in members if keyword != "$defs"}
        case list():
            return [_inlined(part, defs) for part in cast("list[Any]", value)]
        case _:
            return value


def _compared(path: str, old: Schema, new: Schema) -> Iterator[str]:
    if _kind(old) != _kind(new):
        yield f"{path}: the type was {_kind(old)} and is {_kind(new)}"
        return
    yield from _personal(path, old, new)
    yield from _properties(path, old, new)
    yield from _parts(path, old, new)
    yield from _values(path, old, new)
    yield from _bounds(path, old, new)


def _personal(path: str, old: Schema, new: Schema) -> Iterator[str]:
    """What is sealed is part of the contract as well, though its schema cannot be seen from the outside."""
    before, after = old.get(PERSONAL), new.get(PERSONAL)
    if before == after:
        return
    if not (isinstance(before, dict) and isinstance(after, dict)):
        yield f"{path}: it was {'not ' if before is None else ''}personal, and is {'not' if after is None else 'now'}"
        return
    one, other = cast("Schema", before), cast("Schema", after)
    yield from _compared(f"{path} (sealed)", one["value"], other["value"])
    for keyword in ("of", "erased"):
        if one[keyword] != other[keyword]:
            yield f"{path}: {PERSONAL}.{keyword} was {_shown(one[keyword])} and is {_shown(other[keyword])}"


def _kind(schema: Schema) -> str:
    """What the value is, in a few words: `string`, `null or string`."""
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(map(_kind, _sorted(choices)))
    if "prefixItems" in schema:
        return f"array of {len(schema['prefixItems'])}"
    return str(schema.get("type", "anything"))


def _sorted(choices: Iterable[Schema]) -> list[Schema]:
    return sorted(choices, key=_kind)


def _properties(path: str, old: Schema, new: Schema) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    needed_before, needed_after = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted(before.keys() - after.keys()):
        yield f"{path}.{name}: was removed or renamed; consumers still look for it"
    for name in sorted(needed_after - needed_before):
        what = "is required now" if name in before else "is new and required"
        yield f"{path}.{name}: {what}; events written before may lack it: give it a default"
    for name in sorted((needed_before - needed_after) & after.keys()):
        yield f"{path}.{name}: is no longer required; consumers of the last release need it"
    for name in sorted(before.keys() & after.keys()):
        yield from _compared(f"{path}.{name}", before[name], after[name])


def _parts(path: str, old: Schema, new: Schema) -> Iterator[str]:
    for keyword, where in (("items", "[]"), ("additionalProperties", ".*"), ("propertyNames", " (names)")):
        before: Schema | bool = old.get(keyword, True)
        after: Schema | bool = new.get(keyword, True)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _compared(path + where, before, after)
        elif before != after:
            yield f"{path}: {keyword} was {before} and is {after}"
    for nth, (one, other) in enumerate(zip(old.get("prefixItems", ()), new.get("prefixItems", ()), strict=True)):
        yield from _compared(f"{path}[{nth}]", one, other)
    for keyword in CHOICES:
        for one, other in zip(_sorted(old.get(keyword, ())), _sorted(new.get(keyword, ())), strict=True):
            yield from _compared(path, one, other)


def _values(path: str, old: Schema, new: Schema) -> Iterator[str]:
    if "enum" in old or "enum" in new:
        if "enum" not in old:
            yield f"{path}: only {new['enum']} are allowed now; events written before may hold others"
        elif lost := [value for value in old["enum"] if value not in new.get("enum", old["enum"])]:
            yield f"{path}: the values {lost} were removed; events written before may hold them"


def _bounds(path: str, old: Schema, new: Schema) -> Iterator[str]:
    for keyword in sorted((old.keys() | new.keys()) - {*TEXTS, *STRUCTURE, *CHOICES, "enum", "type"}):
        before, after = old.get(keyword), new.get(keyword)
        loosened = after is None and keyword in (*AT_MOST, *AT_LEAST)
        if before is not None and after is not None:
            loosened = (keyword in AT_MOST and after >= before) or (keyword in AT_LEAST and after <= before)
        if before != after and not loosened:
            yield f"{path}: {keyword} was {_shown(before)} and is {_shown(after)}"


def _shown(value: Any) -> str:
    return "not given" if value is None else repr(value)
