"""Which source is believed in which field (来源可信规则), where sources differ."""

from typing import Annotated, Literal

from edge import Call, Router
from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from registry.api.powers import Powers
from registry.domain.entry import Rule
from registry.domain.source_rules import REGISTERS, SOURCE_RULES, SetRules

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


@router.get("/{register}", power=Powers.READ_POWERS)
async def rules_of(register: Register, call: Call) -> Rules:
    """The rules of a register, for everybody to see."""
    rules, _ = await call.commands.load(SOURCE_RULES, register)
    return _shown(rules)


@router.put("/{register}", power=Powers.KEEP_SOURCES, response_model=Rules)
async def set_rules(register: Register, body: Rules, call: Call) -> Response:
    """Lays down the rules of a register: these, and no others. They hold for what is brought from now on."""
    assert register in REGISTERS  # noqa: S101  # the path says so
    rules = {field: rule if isinstance(rule, str) else tuple(rule) for field, rule in body.rules.items()}
    command = SetRules(register, rules, call.require_caller(), call.now)
    done = await call.commands.execute(SOURCE_RULES, register, command)
    return Response(_shown(done.state).model_dump_json(), media_type="application/json")


def _shown(rules: "dict[str, Rule] | object") -> Rules:
    return Rules.model_validate({"rules": rules})
