"""What clients send (sections GET Service Requests, POST Service Request).

What is empty is as if it were not sent (section Optional Arguments).
"""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl

from edge import HttpProblem
from edge.call import HttpCall
from edge.moments import Moment
from edge.problems import FieldError, invalid_input
from edge.redaction import redact
from fastapi.exceptions import RequestValidationError
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic.json_schema import SkipJsonSchema
from starlette.requests import ClientDisconnect

from grid_tasks.api.bodies import Email

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 200
NO_NUL = r"^[^\u0000]*$"


def _or_none(value: object) -> object:
    return None if value == "" else value


MaybeMoment = Annotated[
    Moment | None,
    BeforeValidator(_or_none),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "maxLength": 0}]}),
]
Degrees = Annotated[float, Field(allow_inf_nan=False)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, pattern=NO_NUL), AfterValidator(redact)]


class RequestForm(BaseModel):
    """上报: a request for a service. Names, telephone numbers, devices and accounts of the sender (`first_name`,
    `last_name`, `phone`, `device_id`, `account_id`), `media_url`, `attribute[…]` and `api_key` are passed over and kept
    nowhere: none is needed to deal with a case."""

    model_config = ConfigDict(extra="ignore")  # a form holds no null: what is not sent is not there

    service_code: Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)] = Field(
        description="Of the list of services"
    )
    lat: Degrees = Field(ge=-90, le=90, description="Latitude in WGS-84. An address alone is not enough")
    long: Degrees = Field(ge=-180, le=180, description="Longitude in WGS-84")
    jurisdiction_id: str | SkipJsonSchema[None] = None
    description: Annotated[Words, Field(max_length=4000)] | SkipJsonSchema[None] = Field(
        None, description="What is to be dealt with; without it, the name of the service stands for it"
    )
    address_string: Annotated[Words, Field(max_length=500)] | SkipJsonSchema[None] = Field(
        None, description="Where it is in words, besides the point; it goes to the end of the description"
    )
    email: Email | SkipJsonSchema[None] = Field(
        None, description="To be told the end; sealed, and used for nothing else"
    )

    @property
    def words(self) -> str:
        """What the sender wrote."""
        return "\n".join(filter(None, (self.description, self.address_string)))


async def form_of(call: HttpCall) -> RequestForm:
    """The form that was sent. It is read here, since the framework's reader takes bytes for Latin-1 where the standard
    has UTF-8 everywhere (section Encoding)."""
    if call.request.headers.get("Content-Type", "").split(";")[0].strip().lower() != FORM:
        raise HttpProblem("bad-request", f"send a form, with Content-Type: {FORM}; charset=utf-8")
    try:
        text = (await call.request.body()).decode()
        sent: dict[str, Any] = dict(parse_qsl(text, errors="strict", max_num_fields=MOST_FIELDS))
    except ClientDisconnect:
        raise HttpProblem("bad-request", "the form did not come to its end") from None
    except UnicodeDecodeError:
        raise HttpProblem("bad-request", "the form is not in UTF-8, which is all that is taken here") from None
    except ValueError:
        raise HttpProblem("bad-request", f"the form has more than {MOST_FIELDS} fields") from None
    if not sent.keys() & {"lat", "long"} and sent.keys() & {"address_string", "address_id"}:
        raise invalid_input([_NOT_BY_ADDRESS])
    try:
        return RequestForm.model_validate(sent)
    except ValidationError as error:
        # What follows the field's name are our types' names; and that it might be null, which a form cannot say.
        wrongs = [{**it, "loc": ("body", it["loc"][0])} for it in error.errors() if it["type"] != "none_required"]
        raise RequestValidationError(wrongs) from None


_NOT_BY_ADDRESS = FieldError(
    place="body",
    field="lat, long",
    message="send the place as lat and long: this endpoint does not look up addresses",
    message_zh="请提供经纬度（lat、long）：本接口不解析地址",
)


def listed(text: str | None) -> list[str]:
    """What stands between commas."""
    return [it for part in (text or "").split(",") if (it := part.strip())]


def required_order(since: datetime, until: datetime) -> None:
    """Raises the problem if a span ends before it begins."""
    if until < since:
        raise HttpProblem("bad-request", "end_date is before start_date")
