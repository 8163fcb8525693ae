"""The persons' keys of one service: a row each, wrapped, until it is destroyed. What is destroyed never comes back."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from os import urandom
from typing import NamedTuple, Protocol

import structlog

from events.privacy.cache import KeyCache
from events.privacy.sealing import KEY_BYTES, PersonKey, Random
from events.privacy.vault import KeyVault, NoVault, Wrapped
from events.read_model import Pool
from events.together import Together

log = structlog.get_logger(__name__)


class KeysAway(ConnectionError):
    """Another service, which keeps these keys, does not answer at the moment: try again."""


class Keys(Protocol):
    """Where keys come from."""

    async def obtain(self, subjects: Collection[str]) -> Mapping[str, PersonKey | None]:
        """The key of each; None where it was destroyed, or is not for this service. Raises KeysAway or VaultAway."""
        ...


class Material(NamedTuple):
    """What it takes to seal: everyone's key, those of them that are to be stored with the events, and who is erased."""

    keys: Mapping[str, PersonKey]
    new: Mapping[str, Wrapped]
    erased: Collection[str]


LOOK = "select subject, kek, wrapped, destroyed_at from log.look_up_keys($1)"

DESTROY = """
insert into log.person_keys as k (subject, destroyed_at) values ($1, clock_timestamp())
on conflict (subject) do update set wrapped = null, kek = null,
    destroyed_at = coalesce(k.destroyed_at, excluded.destroyed_at)
returning destroyed_at"""


class PersonKeys:
    """The keys in `log.person_keys`. In memory they stay for seconds, so that an erasure is soon one everywhere."""

    def __init__(
        self, db: Pool, vault: KeyVault | None, cache: KeyCache | None = None, random: Random = urandom
    ) -> None:
        self._db = db
        self._vault = vault
        self._cache = cache or KeyCache()
        self._random = random
        self._index_key: bytes | None = None
        self._look_together = Together[Collection[str], Mapping[str, PersonKey | None]](self._look_for_all)

    @property
    def vault(self) -> KeyVault:
        """What wraps the keys. Raises NoVault."""
        if self._vault is None:
            raise NoVault
        return self._vault

    async def index_key(self) -> bytes:
        """The key for blind indexes; asked for once. Raises NoVault or VaultAway."""
        if self._index_key is None:
            self._index_key = await self.vault.index_key()
        return self._index_key

    async def obtain(self, subjects: Collection[str]) -> Mapping[str, PersonKey | None]:
        """The key of each of them; None where it was destroyed, or was lost with a database."""
        known = await self._known(subjects)
        if lost := [subject for subject in subjects if subject not in known]:
            log.warning("keys are not there: were they lost with a database?", count=len(lost), first=lost[0])
        return {subject: known.get(subject) for subject in subjects}

    async def material(self, subjects: Collection[str], surely_new: Collection[str] = ()) -> Material:
        """What it takes to seal data of these. Whoever has no key gets one, to be stored with the events that it seals;
        those `surely_new` without looking. Should they have one after all, the append says so by KeysMade."""
        known = self._cache.find(subjects)
        if ask := [subject for subject in subjects if subject not in known and subject not in surely_new]:
            known = {**known, **await self._known(ask)}
        keys = {subject: key for subject, key in known.items() if key}
        made = {it: PersonKey(it, self._random(KEY_BYTES)) for it in sorted(subjects) if it not in known}
        new: dict[str, Wrapped] = {}
        if made:
            wrapped = await self.vault.wrap([(subject, key.secret) for subject, key in made.items()])
            new = dict(zip(made, wrapped, strict=True))
        return Material({**keys, **made}, new, [subject for subject, key in known.items() if key is None])

    async def erased(self, subjects: Collection[str]) -> set[str]:
        """Those of them who are erased."""
        return {subject for subject, key in (await self._known(subjects)).items() if key is None}

    def remember(self, asked_at: float, material: Material) -> None:
        """The append was committed: what it made is known."""
        self._cache.put(asked_at, {subject: material.keys[subject] for subject in material.new})

    async def learn(self, asked_at: float, found: Mapping[str, Wrapped | None]) -> Mapping[str, PersonKey | None]:
        """What the table says of these: None where the key was destroyed. Unwraps those that are not known yet, and
        gives the keys of all. Raises VaultAway or DoesNotUnwrap."""
        known = self._cache.find(subject for subject, wrapped in found.items() if wrapped)
        learnt: dict[str, PersonKey | None] = {subject: None for subject, wrapped in found.items() if not wrapped}
        if ask := [(subject, it) for subject, it in found.items() if it and not known.get(subject)]:
            unwrapped = await self.vault.unwrap(ask)
            learnt |= {subject: PersonKey(subject, key) for (subject, _), key in zip(ask, unwrapped, strict=True)}
        self._cache.put(asked_at, learnt)
        return {**known, **learnt}

    def now(self) -> float:
        """The time to give to `remember` and `learn`: that of the question, or before the append."""
        return self._cache.now()

    async def destroy(self, subject: str) -> datetime:
        """Destroys a person's key, for ever, and says when that was. A second time changes nothing; who had no key yet
        will never have one. Other processes have it in memory for `cache.SECONDS` at most."""
        when: datetime = await self._db.fetchval(DESTROY, subject)
        self._cache.put(self._cache.now(), {subject: None})
        return when

    async def _known(self, subjects: Collection[str]) -> Mapping[str, PersonKey | None]:
        """Those that there are, from memory or from the table."""
        known = self._cache.find(subjects)
        if ask := [subject for subject in subjects if subject not in known]:
            return {**known, **await self._look_together(ask)}
        return known

    async def _look_for_all(self, asked: Sequence[Collection[str]]) -> Sequence[Mapping[str, PersonKey | None]]:
        found = await self._look({subject for subjects in asked for subject in subjects})
        return [{subject: found[subject] for subject in subjects if subject in found} for subjects in asked]

    async def _look(self, subjects: Iterable[str]) -> Mapping[str, PersonKey | None]:
        asked_at = self._cache.now()
        rows = await self._db.fetch(LOOK, list(subjects))
        found = {row["subject"]: Wrapped(row["kek"], row["wrapped"]) if row["wrapped"] else None for row in rows}
        return await self.learn(asked_at, found)
