"""Which source is believed in which field (来源可信规则), where sources differ."""

from typing import Annotated, Literal

from edge import Call, Router
from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from registry.api.powers import Powers
from registry.domain.entry import Rule
from registry.domain.source_rules import SOURCE_RULES, SetRules

router = Router(prefix="/source-rules", tags=["sources"])

Register = Literal["addresses", "buildings", "households", "people", "units"]
Source = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class Rules(BaseModel):
    """By field: `newest`; `ask`, a person decides; or sources, the most trusted first. Fields that are not named:
    `newest`. What a person has decided is believed before all sources."""

    model_config = ConfigDict(extra="forbid")

    rules: dict[str, Literal["newest", "ask"] | Annotated[list[Source], Field(min_length=1, max_length=20)]] = Field(
        examples=[{"phone": "newest", "name": ["police", "file"], "address": "ask"}], max_length=50
    )


class RulesOf(Rules):
    """The rules of a register."""

    of: Register


@router.get("/{register}", power=Powers.READ_POWERS)
async def rules_of(register: Register, call: Call) -> Rules:
    """The rules of a register, for everybody to see."""
    rules, _ = await call.commands.load(SOURCE_RULES, register)
    return _shown(rules)


@router.post("", power=Powers.KEEP_SOURCES, status_code=201, response_model=Rules)
async def set_rules(body: RulesOf, call: Call) -> Response:
    """Lays down the rules of a register: these, and no others. They hold for what is brought from now on."""
    rules = {field: rule if isinstance(rule, str) else tuple(rule) for field, rule in body.rules.items()}
    command = SetRules(body.of, rules, call.require_caller(), call.now)
    return await call.create(
        SOURCE_RULES, body.of, command, view=lambda rules, _version: _shown(rules), location="/source-rules/{id}"
    )


def _shown(rules: "dict[str, Rule] | object") -> Rules:
    return Rules.model_validate({"rules": rules})
