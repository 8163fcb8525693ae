"""Who changed the power list or the roster, and who was shown or erased, is on the audit log by their own events."""

from contracts.common import Post
from edge.testing import in_post, token, told
from events.runtime import Runtime

from .conftest import Office

POWERS = b"""[{"power": "cases.verify", "title": {"zh": "x", "en": "x"}, "legal_basis": "a law",
  "holders": [{"kind": "post", "name": "grid_leader", "scope": "own_grid"}], "since": "2026-01-01T00:00:00+08:00"}]"""
ROSTER = "member_ref,name,post,grid_code,email,phone\nM1,某某,community_officer,,m1@example.org,15450709398\n"


async def test_the_power_list_and_the_roster_are_not_told_of_twice(office: Office, runtime: Runtime) -> None:
    assert not (await office.brings("powers", POWERS)).bad
    assert not (await office.brings("roster", ROSTER)).bad
    entries = await office.sees_all("/audit")
    assert {(it["act"], it["actor"], it["outcome"]) for it in entries} == {
        ("power.listed", "clerk", "done"),
        ("member.appointed", "clerk", "done"),
    }
    assert "power-cases.verify" in {it["thing"] for it in entries}
    assert await runtime.db.fetchval("select count(*) from log.events where stream like 'audit-%'") == 0


async def test_who_may_not_read_it_is_refused(office: Office, runtime: Runtime) -> None:
    await told(runtime.settings.database_url, in_post("li", Post.GRID_WORKER, "G1"))
    answer = await office.http.get("/audit", headers={"Authorization": f"Bearer {token('li')}"})
    assert answer.status_code == 403
