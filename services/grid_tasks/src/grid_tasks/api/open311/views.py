"""Duties as services, cases as service requests (sections GET Service List, GET Service Request): what everybody may
see, and what was written for those concerned."""

from datetime import UTC, datetime
from typing import Any

from contracts.registry import DutyFacts
from edge.accepting import Language
from pydantic import BaseModel, Field

from grid_tasks.domain.case import Case, Step
from grid_tasks.domain.moves import ENDS
from grid_tasks.read_models.case_board import BoardCase

NOTES = {
    Step.REPORTED: ("已上报", "It was reported."),
    Step.ACCEPTED: ("已受理", "It was accepted, and waits for somebody to have it."),
    Step.DISPATCHED: ("已派遣", "Somebody has it."),
    Step.STARTED: ("处置中", "It is being dealt with."),
    Step.PAUSED: ("已挂起", "It is paused."),
    Step.HANDED_IN: ("已反馈，待核查", "It was dealt with, and is to be verified."),
    Step.VERIFIED: ("已核查，待复核", "It was verified, and is looked at once more."),
    Step.CLOSED: ("已结案", "It was dealt with, and verified by somebody else."),
    Step.REFUSED: ("不予受理", "It was not taken on."),
    Step.WITHDRAWN: ("已撤回", "It was taken back."),
    Step.MERGED: ("已并案", "Another request goes on for it."),
}


class Service(BaseModel):
    """A duty of the grid (section GET Service List)."""

    service_code: str
    service_name: str
    description: str
    metadata: bool = Field(description="Always false: the duty list asks reporters for nothing else")
    type: str = Field(description="Always realtime: the id is answered at once")
    keywords: str = Field(description="With commas between: its name in the other language, whose duty it is")
    group: str = Field(description="Whose duty it is")


class ServiceDefinition(BaseModel):
    """What is asked besides (section GET Service Definition): nothing."""

    service_code: str
    attributes: list[Any]


class Extended(BaseModel):
    """What the standard has not (GeoReport v2 Extensions, Extended Attributes)."""

    receipt: str = Field(description="A secret, shown once: header `Receipt` at the addresses under /cases (回执)")


class Made(BaseModel):
    """What who reports is answered (section POST Service Request)."""

    service_request_id: str = Field(description="The id of the case: GET /cases/{case}")
    service_notice: str | None
    account_id: None
    extended_attributes: Extended


class Token(BaseModel):
    """An id by a token, which is the same (section GET service_request_id from a token)."""

    service_request_id: str
    token: str


class ServiceRequest(BaseModel):
    """A case (section GET Service Requests). Null is what we have not, or what is not for everybody."""

    service_request_id: str
    status: str = Field(description="open, or closed: nobody has anything to do with it any more")
    status_notes: str
    service_name: str
    service_code: str
    description: str | None = Field(description="For those concerned only, and never in a list")
    agency_responsible: str | None = Field(description="The department that has it; none: the grid")
    service_notice: str | None
    requested_datetime: datetime
    updated_datetime: datetime
    expected_datetime: datetime | None = Field(description="By when it is to be handed in; none while its clock stands")
    address: str | None = Field(description="Its grid")
    address_id: None
    zipcode: None
    lat: float | None = Field(description="For those concerned only, as long as it is open, and never in a list")
    long: float | None
    media_url: None


class Endpoint(BaseModel):
    """Where GeoReport v2 is spoken."""

    specification: str
    url: str
    changeset: str
    type: str
    formats: list[str]


class Discovery(BaseModel):
    """Service Discovery, Fields for All Versions."""

    changeset: str = Field(description="Since when the list of services is as it is")
    contact: str
    key_service: str
    endpoints: list[Endpoint]


def service(duty: DutyFacts, language: Language) -> Service:
    """A duty as it is told to apps."""
    other: Language = "en" if language == "zh" else "zh"
    group = getattr(duty.department, language)
    return Service(
        service_code=duty.category,
        service_name=name_of(duty, language),
        description=notice_of(duty, language) or name_of(duty, language),
        metadata=False,
        type="realtime",
        keywords=", ".join((getattr(duty.title, other).replace(",", " "), group.replace(",", " "))),
        group=group,
    )


def name_of(duty: DutyFacts, language: Language) -> str:
    """What the duty is called."""
    return getattr(duty.title, language)


def notice_of(duty: DutyFacts | None, language: Language) -> str | None:
    """What “done” means."""
    return getattr(duty.standard, language) if duty and duty.standard else None


def service_request(
    it: BoardCase | Case, duty: DutyFacts | None, language: Language, *, concerned: bool = False
) -> ServiceRequest:
    """A case as it is told to apps. Without a duty, since the list has it no more, its category stands for its name."""
    step = it.step or Step.REPORTED
    place = it.place if isinstance(it, Case) and concerned and step not in ENDS else None
    moments = (it.reported_at, it.accepted_at, it.dispatched_at, it.started_at, it.handed_in_at, it.closed_at)
    known = [moment.astimezone(UTC) for moment in moments if moment]
    return ServiceRequest(
        service_request_id=it.id if isinstance(it, Case) else it.case,
        status="closed" if step in ENDS else "open",
        status_notes=NOTES[step][language == "en"],
        service_name=name_of(duty, language) if duty else it.category,
        service_code=it.category,
        description=it.description if isinstance(it, Case) and concerned else None,
        agency_responsible=it.body or None,
        service_notice=notice_of(duty, language),
        requested_datetime=known[0],
        updated_datetime=known[-1] if step in ENDS else max(known),
        expected_datetime=it.due and it.due.astimezone(UTC),
        address=f"网格 {it.grid}" if it.grid else None,
        address_id=None,
        zipcode=None,
        lat=place.latitude if place else None,
        long=place.longitude if place else None,
        media_url=None,
    )
