"""All persons' keys under the current key-encryption key: while everybody works, in batches, from where it was left.

Persons' keys stay what they are; only what wraps them changes, so nothing that was sealed is touched. Readers take
either, as the row says which it is under.
"""

from collections.abc import Callable

from events.privacy.vault import KeyVault, Wrapped
from events.read_model import Pool

BATCH = 500

NEXT = """
select subject, kek, wrapped from log.person_keys
where kek <> $1 and subject > $2 order by subject limit $3"""

REPLACE = """
update log.person_keys k set wrapped = n.wrapped, kek = $4
from unnest($1::text[], $2::bytea[], $3::bytea[]) as n(subject, was, wrapped)
where k.subject = n.subject and k.wrapped = n.was"""
"""Only what is still as it was read: what was destroyed meanwhile stays destroyed."""


async def rotate(db: Pool, vault: KeyVault, report: Callable[[int], None] = lambda _: None) -> int:
    """Wraps anew what is under another key-encryption key than the current one; returns how many that were.

    Safe to interrupt, to repeat, and to run twice at the same time. Raises VaultAway or DoesNotUnwrap.
    """
    kek = await vault.current()
    done, after = 0, ""
    while True:
        rows = await db.fetch(NEXT, kek, after, BATCH)
        if not rows:
            if after == "":
                return done
            after = ""  # a process that has not been restarted yet may have made more under the old one
            continue
        after = rows[-1]["subject"]
        secrets = await vault.unwrap([(row["subject"], Wrapped(row["kek"], row["wrapped"])) for row in rows])
        subjects = [row["subject"] for row in rows]
        anew = await vault.wrap(list(zip(subjects, secrets, strict=True)))
        answer = await db.execute(
            REPLACE, subjects, [row["wrapped"] for row in rows], [it.data for it in anew], anew[0].kek
        )
        done += int(answer.split()[-1])
        report(done)


async def by_kek(db: Pool) -> dict[str | None, int]:
    """How many persons' keys are under each key-encryption key; None stands for those that were destroyed."""
    rows = await db.fetch("select kek, count(*) from log.person_keys group by kek order by kek")
    return {row[0]: row[1] for row in rows}
