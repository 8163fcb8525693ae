"""Belt and braces against personal data where it has no business: what looks like an identity number (身份证号), a
phone number or an e-mail address is blotted out of logs, traces and what people write, and an exception is described
without the values it was about."""

import re
import traceback
from typing import Annotated, Any

import asyncpg
from events import Conflict, NotYet, Refused
from pydantic import AfterValidator, Field, StringConstraints, ValidationError

BLOT = "▇▇▇"

_NUMBER = re.compile(
    r"""(?<![0-9A-Za-z])(?<![0-9]\.)(?:                  # no part of a word or of a fraction
        [0-9]{17}[0-9Xx] | [0-9]{15}                    # identity number, new and old
      | (?:\+?86[-\s]?)?1[3-9][0-9][-\s]?[0-9]{4}[-\s]?[0-9]{4}   # mobile phone
      | 0[0-9]{2,3}[-\s][2-8][0-9]{6,7}                 # landline
    )(?![0-9A-Za-z])
    """,
    re.VERBOSE,
)
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")

# What these say is about code, the network, or a rule of the trade: no values from outside.
_SPEAKS_OF_NO_VALUE = (
    Refused,
    Conflict,
    NotYet,
    OSError,
    RuntimeError,
    AttributeError,
    NameError,
    ImportError,
    AssertionError,
    TypeError,
    asyncpg.InterfaceError,
)


def redact(text: str) -> str:
    """The text without anything that looks like an identity number, a phone number or an e-mail address."""
    text = _NUMBER.sub(BLOT, text)
    return _EMAIL.sub(BLOT, text) if "@" in text else text


Text = Annotated[
    str,
    # U+0085 is white to Python, and not to JSON Schema's \s: who goes by the document has to know.
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000, pattern="[^\\s\x85]"),
    AfterValidator(redact),
    Field(description="Name no numbers of people: identity and telephone numbers and e-mail addresses are blotted out"),
]
"""What somebody writes. Whoever reads it finds people in the registers, by their powers."""


def describe(error: BaseException) -> dict[str, Any]:
    """An exception for the log: its kind, where it came from, and what it says only if that can hold no value."""
    described: dict[str, Any] = {"type": f"{type(error).__module__}.{type(error).__qualname__}"}
    match error:
        case ValidationError():
            described["fields"] = [
                f"{'.'.join(map(str, wrong['loc']))}: {wrong['type']}"
                for wrong in error.errors(include_input=False, include_context=False, include_url=False)
            ]
        case asyncpg.PostgresError():
            described |= {
                name: value
                for name in ("sqlstate", "constraint_name", "table_name", "column_name")
                if (value := getattr(error, name, None))
            }
        case _ if isinstance(error, _SPEAKS_OF_NO_VALUE):
            described["message"] = redact(str(error))
        case _:
            pass
    described["frames"] = [
        f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
    ]
    if isinstance(error, BaseExceptionGroup):
        described["exceptions"] = [describe(each) for each in error.exceptions]  # type: ignore[misc]
    if cause := error.__cause__ or (None if error.__suppress_context__ else error.__context__):
        described["cause"] = describe(cause)
    return described
