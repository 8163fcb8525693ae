"""Somebody is entered, looked at, and erased: then nothing on any disk tells of them, in any service (promise 8)."""

from pathlib import Path
from typing import Any

import asyncpg
from events.testing import eventually
from local.disks import found_in, rewritten
from local.services import REGISTRAR, SERVICES
from registry.domain.references import id_of

REFERENCE = "P-TO-BE-ERASED"
PERSON = id_of("person", REFERENCE)
NAME, NUMBER, PHONE = "欧阳桂兰", "990502194608251228", "15496309137"
RIGHT_PHONE = "15496309138"
EVERYTHING = f"{NAME} {NUMBER} {PHONE} {RIGHT_PHONE}"
SHEET = f"""person_ref,name,id_number,sex,birth_date,phone,residency,household_ref,relation,address_ref,registered_until
{REFERENCE},{NAME},{NUMBER},2,1946-08-25,{PHONE},permanent,H0001,parent,A01-1-102,
"""


async def test_of_who_was_erased_nothing_is_on_any_disk(town: Any, tmp_path: Path) -> None:
    as_registrar = {"Authorization": f"Bearer {town.system.token(REGISTRAR)}"}
    brought = await town.http.put(town.url("registry", "/registers/people"), content=SHEET, headers=as_registrar)
    assert '"registered":1' in brought.text, brought.text

    async def known() -> Any:
        answer = await town.get("registry", f"/people/{PERSON}", REGISTRAR)
        return answer.json() if answer.status_code == 200 else None

    await eventually(known)
    masked = await known()
    assert (masked["name"], masked["id_number"]) == ("欧**", f"{NUMBER[:4]}**********{NUMBER[-4:]}")
    seen = await town.get("registry", f"/people/{PERSON}", REGISTRAR, Purpose="registration")
    assert (seen.json()["name"], seen.json()["id_number"], seen.json()["phone"]) == (NAME, NUMBER, PHONE)
    found = await town.post("registry", "/people/search", {"of": "phone", "number": PHONE}, REGISTRAR)
    assert [it["person"] for it in found.json()] == [PERSON]
    correction = {"phone": RIGHT_PHONE, "reason": f"{NAME}换了号码"}
    asked = await town.post("registry", f"/people/{PERSON}/corrections", correction, REGISTRAR)
    assert asked.status_code == 201, asked.text
    assert found_in(town.system.data, "桑园新村1幢"), "what is nobody's secret is found, so the search works"
    assert found_in(town.system.data, EVERYTHING) == [], "not even while they are known"

    erased = await town.post(
        "registry", f"/people/{PERSON}/erasure", {"ground": "consent_withdrawn"}, REGISTRAR, If_Match="*"
    )
    assert erased.status_code == 202, erased.text

    async def confirmed_by_all() -> Any:
        report = (await town.get("registry", f"/people/{PERSON}/erasure", REGISTRAR)).json()
        return report if report.get("waiting_for") == [] else None

    await eventually(confirmed_by_all, 120)
    report = await confirmed_by_all()
    assert {it["service"] for it in report["confirmed"]} == set(SERVICES)
    assert (await town.get("registry", f"/people/{PERSON}", REGISTRAR)).status_code == 410
    again = await town.post("registry", "/people/search", {"of": "phone", "number": PHONE}, REGISTRAR)
    assert again.json() == []
    looked = (await town.get("registry", f"/people/{PERSON}/disclosures", REGISTRAR)).json()["items"]
    assert [(it["by"], it["purpose"]) for it in looked] == [(REGISTRAR, "registration")], "who looked stays on record"

    await rewritten(town.system.database_url("postgres"), *map(town.system.database_url, SERVICES))
    assert found_in(town.system.data, EVERYTHING) == []
    db = await asyncpg.connect(town.system.database_url("registry"))
    key = await db.fetchrow("select wrapped, destroyed_at from log.person_keys where subject = $1", f"person-{PERSON}")
    await db.close()
    assert key
    assert key["wrapped"] is None
    assert key["destroyed_at"]
