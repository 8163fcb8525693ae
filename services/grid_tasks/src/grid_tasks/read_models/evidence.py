"""Which evidence (证据) is kept, and to which case it belongs. Where and when it was taken is not kept here."""

from collections.abc import Collection

from contracts.grid_tasks import EvidenceAttached, EvidenceForgotten, EvidenceKept
from events import Batch, Connection, Database, ReadModel

evidence = ReadModel(
    "evidence",
    tables="""
    create table kept_evidence (
        evidence_id text primary key,
        case_id text
    );
    create index kept_evidence_case on kept_evidence (case_id) where case_id is not null;
    """,
)


@evidence.on(EvidenceKept)
async def was_kept(db: Connection, events: Batch[EvidenceKept]) -> None:
    await db.execute("insert into kept_evidence (evidence_id) select unnest($1::text[])", events.column("evidence"))


@evidence.on(EvidenceAttached)
async def was_attached(db: Connection, events: Batch[EvidenceAttached]) -> None:
    await db.execute(
        """update kept_evidence k set case_id = new.case_id
           from unnest($1::text[], $2::text[]) as new (evidence_id, case_id) where k.evidence_id = new.evidence_id""",
        events.column("evidence"),
        events.column("case"),
    )


@evidence.on(EvidenceForgotten)
async def was_forgotten(db: Connection, events: Batch[EvidenceForgotten]) -> None:
    await db.execute("delete from kept_evidence where evidence_id = any($1)", events.column("evidence"))


async def kept(db: Database, ids: Collection[str]) -> frozenset[str]:
    """Those of these that are kept and belong to no case yet."""
    found = await db.fetch(
        "select evidence_id from kept_evidence where evidence_id = any($1) and case_id is null", list(ids)
    )
    return frozenset(row[0] for row in found)


async def of_case(db: Database, case: str) -> list[str]:
    """What belongs to this case, oldest first."""
    rows = await db.fetch("select evidence_id from kept_evidence where case_id = $1 order by evidence_id", case)
    return [row[0] for row in rows]
