"""Who finds something wrong of themselves has it corrected (PIPL, article 46): asked for, looked into by somebody else,
put right everywhere, or refused with a reason."""

from datetime import UTC, date, datetime
from typing import Any

import httpx2
import pytest
from contracts.registry import CorrectionAccepted, CorrectionAsked, CorrectionRefused
from edge.testing import client, token
from events.runtime import Runtime
from events.testing import eventually, given
from registry.domain.correction import (
    CORRECTION,
    Accept,
    Ask,
    Decided,
    NothingToCorrect,
    OwnRequest,
    Refuse,
    corrected,
)
from registry.domain.faults import Fault
from registry.domain.person import PERSON as PERSON_REGISTER
from registry.service import application

from .conftest import Office
from .facts import TAN
from .test_privacy import NAME, NUMBER, PERSON, PHONE, As, as_, known, reason

__all__ = ["as_", "known"]

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
LATER = datetime(2026, 11, 25, 10, tzinfo=UTC)


def asking(**changes: Any) -> CorrectionAsked:
    return CorrectionAsked(
        correction="c1", person=TAN.person, fields=tuple(changes), **changes, reason="户口簿", by="portal", at=NOW
    )


ASKED = asking(name="谭睿", phone="15496301249")


# What is decided


def test_what_is_asked_is_looked_into_by_somebody_else() -> None:
    given(CORRECTION).when(Ask(ASKED, TAN)).then(ASKED)
    accepted = CorrectionAccepted(correction="c1", person=TAN.person, by="officer", at=LATER)
    given(CORRECTION, ASKED).when(Accept(TAN, "officer", LATER)).then(accepted)
    given(CORRECTION, ASKED).when(Accept(TAN, "portal", LATER)).refused(OwnRequest)
    given(CORRECTION, ASKED).when(Refuse("证件上如此", "portal", LATER)).refused(OwnRequest)
    given(CORRECTION, ASKED, accepted).when(Refuse("证件上如此", "officer", LATER)).refused(Decided)
    given(CORRECTION, ASKED, accepted).when(Accept(TAN, "officer", LATER)).refused(Decided)


def test_what_is_refused_says_why() -> None:
    refused = CorrectionRefused(correction="c1", person=TAN.person, reason="证件上如此", by="officer", at=LATER)
    given(CORRECTION, ASKED).when(Refuse("证件上如此", "officer", LATER)).then(refused)
    given(CORRECTION, ASKED, refused).when(Accept(TAN, "officer", LATER)).refused(Decided)


def test_only_what_was_asked_for_changes() -> None:
    assert corrected(TAN, ASKED) == TAN.model_copy(update={"name": "谭睿", "phone": "15496301249"})


def test_what_the_register_could_not_say_is_not_asked_for() -> None:
    given(CORRECTION).when(Ask(asking(name=TAN.name), TAN)).refused(NothingToCorrect)
    given(CORRECTION).when(Ask(asking(birth_date=date(1965, 3, 16)), TAN)).refused(Fault)


def test_what_the_register_can_no_longer_say_is_not_accepted() -> None:
    """Meanwhile it has learnt another number, which says another day."""
    asked = asking(birth_date=TAN.birth_date)
    since = TAN.model_copy(update={"id_number": "990502196503164653", "birth_date": date(1965, 3, 16)})
    given(CORRECTION, asked).when(Accept(since, "officer", LATER)).refused(Fault)


# Over HTTP


@pytest.fixture
def portal(runtime: Runtime) -> httpx2.AsyncClient:
    return client(application, runtime, token("resident_portal", client_id="resident_portal"))


async def asked(portal: httpx2.AsyncClient, **body: Any) -> httpx2.Response:
    headers = {"Idempotency-Key": "asked"}
    return await portal.post(f"/people/{PERSON}/corrections", json={"reason": "户口簿上如此", **body}, headers=headers)


async def decided(
    as_: As, who: str, correction: str, how: str, body: Any = None, version: str = "*"
) -> httpx2.Response:
    headers = {"Idempotency-Key": f"{who}-{how}", "If-Match": version}
    async with as_(who) as http:
        return await http.post(f"/corrections/{correction}/{how}", json=body, headers=headers)


async def test_a_correction_that_is_accepted_reaches_the_register_and_every_list(
    as_: As, known: Office, portal: httpx2.AsyncClient, runtime: Runtime
) -> None:
    async with portal:
        answer = await asked(portal, name="韩睿", phone="15496301249")
        assert answer.status_code == 201, answer.text
        correction = answer.json()["correction"]
        for value in ("韩睿", "15496301249", NAME, PHONE):
            assert value not in answer.text
        async with as_("officer") as officer:
            [row] = (await officer.get("/corrections?outcome=open", headers=fresh(answer))).json()["items"]
            looked = await officer.get(f"/corrections/{correction}")
            details = looked.json()
        assert (row["fields"], row["grid"], row["asked_by"]) == (["name", "phone"], "G1", "resident_portal")
        assert details["reason"] == "户口簿上如此"
        assert details["differences"] == [
            {"field": "name", "held": NAME, "asked": "韩睿"},
            {"field": "phone", "held": PHONE, "asked": "15496301249"},
        ]
        answer = await decided(as_, "officer", correction, "acceptance", version=looked.headers["ETag"])
        assert answer.json()["outcome"] == "accepted"

        async def put_right() -> bool:
            async with as_("officer") as http:
                found = await http.post("/people/search", json={"of": "phone", "number": "15496301249"})
                return [(it["person"], it["name"]) for it in found.json()] == [(PERSON, "韩**")]

        await eventually(put_right)
        copied = (await portal.get(f"/people/{PERSON}/copy")).json()["copied"]
        [outcome] = (await portal.get(f"/people/{PERSON}/corrections")).json()
    assert (copied["held"]["name"], copied["held"]["phone"], copied["held"]["id_number"]) == (
        "韩睿",
        "15496301249",
        NUMBER,
    )
    assert [it["what"] for it in copied["history"]] == ["person.registered", "person.changed"]
    assert [(it["fields"], it["outcome"]) for it in copied["corrections"]] == [(["name", "phone"], "accepted")]
    assert (outcome["outcome"], outcome["decided_by"], outcome["answer"]) == ("accepted", "officer", None)
    seen = [(it["by"], it["fields"]) for it in copied["seen_by"] if it["purpose"] == "correction"]
    assert seen == [("officer", ["name", "phone"])], "who looked into it is on record"


def fresh(answer: httpx2.Response) -> dict[str, str]:
    return {"Consistency-Token": answer.headers["Consistency-Token"]}


async def test_a_correction_that_is_refused_tells_whoever_asked_why_and_nothing_changes(
    as_: As, portal: httpx2.AsyncClient, runtime: Runtime
) -> None:
    async with portal:
        correction = (await asked(portal, name="韩睿")).json()["correction"]
        why = {"reason": "身份证上是另一个字，可打 13800138000 询问"}
        answer = await decided(as_, "officer", correction, "refusal", why)
        assert answer.json()["outcome"] == "refused"
        [outcome] = (await portal.get(f"/people/{PERSON}/corrections", headers=fresh(answer))).json()
    assert outcome["answer"] == "身份证上是另一个字，可打 ▇▇▇ 询问"
    person, version = await runtime.commands.load(PERSON_REGISTER, PERSON)
    assert (person.known().name, version) == (NAME, 1)
    assert reason(await decided(as_, "clerk", correction, "acceptance")) == "decided"


async def test_who_asked_does_not_decide_and_who_is_elsewhere_does_not_see(as_: As) -> None:
    async with as_("officer") as officer:
        body = {"name": "韩睿", "reason": "户口簿"}
        answer = await officer.post(f"/people/{PERSON}/corrections", json=body, headers={"Idempotency-Key": "1"})
        correction = answer.json()["correction"]
    own = await decided(as_, "officer", correction, "acceptance")
    assert (own.status_code, reason(own)) == (403, "own-request")
    assert reason(await decided(as_, "here", correction, "acceptance")) == "not-allowed"
    async with as_("elsewhere") as http:
        assert (await http.get(f"/people/{PERSON}/corrections")).status_code == 404
    async with as_("here") as http:
        assert (await http.get(f"/people/{PERSON}/corrections", headers=fresh(answer))).json()[0]["outcome"] == "open"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, "nothing-to-correct"),
        ({"name": NAME}, "nothing-to-correct"),
        ({"sex": "2"}, "wrong-entry"),
        ({"phone": "110"}, "wrong-entry"),
        ({"id_number": "1"}, "invalid-input"),
        ({"religion": "x"}, "invalid-input"),
    ],
)
async def test_what_cannot_be_right_is_refused_with_the_field_and_without_the_value(
    portal: httpx2.AsyncClient, known: Office, body: dict[str, str], why: str
) -> None:
    async with portal:
        answer = await asked(portal, **body)
    assert (answer.status_code, reason(answer)) == (422, why)
    assert NAME not in answer.text


async def test_of_who_is_erased_no_correction_remains(
    as_: As, portal: httpx2.AsyncClient, known: Office, runtime: Runtime
) -> None:
    async with portal:
        correction = (await asked(portal, name="韩睿")).json()["correction"]
        ground = {"ground": "consent_withdrawn"}
        erased = await known.http.post(
            f"/people/{PERSON}/erasure", json=ground, headers={"Idempotency-Key": "e", "If-Match": "*"}
        )
        assert erased.status_code == 202
        assert (await portal.get(f"/people/{PERSON}/corrections", headers=fresh(erased))).json() == []
    assert (await decided(as_, "clerk", correction, "acceptance")).status_code in (404, 410)
    found, _ = await runtime.commands.load(CORRECTION, correction)
    assert found.asked
    assert (found.asked.name, found.asked.reason) == (None, "")
