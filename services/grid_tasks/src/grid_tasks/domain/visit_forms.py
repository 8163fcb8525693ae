"""What is asked at a visit (走访表单): a small form for each kind, as JSON Schema 2020-12, by versions.

What a form once asked stays here for ever, since phones come back with answers by the form that they had. `changes`
goes by the names of the register's fields: what stands there the register has otherwise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.common import Title
from contracts.visits import VisitKind

Schema = Mapping[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
HOURS = r"^[1-7](?:[-,][1-7])* \d\d:\d\d-\d\d:\d\d(?:; ?[1-7](?:[-,][1-7])* \d\d:\d\d-\d\d:\d\d)*$"
PHONE = r"^(?:\+?86)?(?:1[3-9]\d{9}|0\d{9,11}|[48]00\d{7})$"
DAY: Schema = {"type": "string", "pattern": r"^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$"}


@dataclass(frozen=True, slots=True)
class Form:
    """A version of a form."""

    form: str
    version: int
    title: Title
    schema: Schema


def _asked(**properties: Schema) -> Schema:
    """A form about an entry of a register: is it right, and if not, what would be."""
    return {
        "$schema": DIALECT,
        "type": "object",
        "properties": {
            "as_registered": {"type": "boolean", "title": "与登记一致 / All is as the register says"},
            "changes": {
                "type": "object",
                "title": "应为 / What is otherwise",
                "properties": properties,
                "additionalProperties": False,
                "minProperties": 1,
            },
        },
        "required": ["as_registered"],
        "additionalProperties": False,
        "if": {"properties": {"as_registered": {"const": True}}},
        "then": {"not": {"required": ["changes"]}},
        "else": {"required": ["changes"]},
    }


RESIDENT = Form(
    "resident",
    1,
    Title(zh="住户走访", en="Visit to a resident"),
    _asked(
        name={"type": "string", "minLength": 1, "maxLength": 100, "title": "姓名 / Name"},
        phone={"type": "string", "pattern": PHONE, "title": "电话 / Telephone"},
        home_hours={"type": "string", "pattern": HOURS, "maxLength": 200, "title": "在家时段 / When at home"},
        no_contact={"type": "boolean", "title": "要求不被联系 / Asks not to be contacted"},
        registered_until={**DAY, "title": "居住登记至 / Registered until"},
    ),
)
UNIT = Form(
    "unit",
    1,
    Title(zh="单位走访", en="Visit to a unit"),
    _asked(
        phone={"type": "string", "pattern": PHONE, "title": "电话 / Telephone"},
        person_in_charge={"type": "string", "minLength": 1, "maxLength": 100, "title": "负责人 / Person in charge"},
        staff={"type": "integer", "minimum": 0, "maximum": 100000, "title": "从业人数 / Staff"},
        licence={"type": "string", "minLength": 1, "maxLength": 100, "title": "许可证编号 / Licence"},
        licence_until={**DAY, "title": "许可证有效期至 / Licence until"},
        fire_check_due={**DAY, "title": "下次消防检查 / Next fire check"},
        safety_check_due={**DAY, "title": "下次安全检查 / Next safety check"},
        closed={"type": "boolean", "title": "已停业 / Closed"},
    ),
)
TALK = Form(
    "talk",
    1,
    Title(zh="上门宣传", en="A talk at the door"),
    {
        "$schema": DIALECT,
        "type": "object",
        "properties": {
            "people_met": {"type": "integer", "minimum": 0, "maximum": 1000, "title": "宣传人数 / People met"},
            "asked_for_help": {"type": "integer", "minimum": 0, "maximum": 1000, "title": "求助人数 / Asked for help"},
        },
        "required": ["people_met"],
        "additionalProperties": False,
    },
)
FORMS: Sequence[Form] = (RESIDENT, UNIT, TALK)
"""All that were ever asked."""


def form_for(kind: VisitKind, of: str) -> str:
    """Which form a visit has."""
    if kind is VisitKind.CAMPAIGN or of == "buildings":
        return TALK.form
    return UNIT.form if of == "units" else RESIDENT.form


def form_of(name: str, version: int) -> Form | None:
    """A version of a form; None if there was none."""
    return next((it for it in FORMS if (it.form, it.version) == (name, version)), None)


def wrong_in(answers: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that the register has otherwise, by name."""
    return tuple(sorted(answers.get("changes", {})))
