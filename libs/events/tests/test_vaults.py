"""Where key-encryption keys are: rotation without downtime, a Vault by its published API, other services' keys."""

import json
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from events import Service
from events.privacy.blind_index import blind_index, normalised
from events.privacy.cache import KeyCache
from events.privacy.client import KeyClient
from events.privacy.keys import KeysAway, PersonKeys
from events.privacy.ring import KeyRing, new_ring
from events.privacy.rotation import by_kek, rotate
from events.privacy.sealing import PersonKey
from events.privacy.transit import Transit
from events.privacy.vault import DoesNotUnwrap, KeyVault, TransitSettings, VaultAway, Wrapped
from events.runtime import Runtime
from front_desk import MATTER, Note, Raise, desk
from hypothesis import assume, given
from hypothesis import strategies as st

Answering = Callable[[httpx2.Request], httpx2.Response]
OLD = new_ring("2026")
NEW = OLD.with_new("2027")


@pytest.fixture
async def runtime(opened: Callable[[Service], Awaitable[Runtime]]) -> Runtime:
    return await opened(desk())


def keys_with(runtime: Runtime, vault: KeyVault) -> PersonKeys:
    """The service's keys, as a process has them that knows this vault and has nothing in memory."""
    return PersonKeys(runtime.db, vault)


async def made(runtime: Runtime, vault: KeyVault, *subjects: str) -> dict[str, bytes]:
    """Makes these persons' keys."""
    material = await keys_with(runtime, vault).material(subjects)
    for subject, (kek, wrapped) in material.new.items():
        row = subject, wrapped, kek
        await runtime.db.execute("insert into log.person_keys (subject, wrapped, kek) values ($1, $2, $3)", *row)
    return {subject: key.secret for subject, key in material.keys.items()}


async def secrets(runtime: Runtime, vault: KeyVault, *subjects: str) -> dict[str, bytes | None]:
    return {it: key and key.secret for it, key in (await keys_with(runtime, vault).obtain(subjects)).items()}


# Rotation


async def test_a_rotation_wraps_all_anew_and_the_persons_keys_stay_what_they_are(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.privacy.rotation.BATCH", 3)
    subjects = [f"matter-{nth}" for nth in range(10)]
    before = await made(runtime, OLD, *subjects)
    told: list[int] = []
    assert await rotate(runtime.db, NEW, told.append) == 10
    assert told == [3, 6, 9, 10]
    assert await by_kek(runtime.db) == {"2027": 10}
    assert await secrets(runtime, NEW, *subjects) == before
    assert await rotate(runtime.db, NEW) == 0


async def test_while_it_is_under_way_readers_take_either_and_it_goes_on_where_it_was_left(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.privacy.rotation.BATCH", 2)
    subjects = [f"matter-{nth}" for nth in range(5)]
    before = await made(runtime, OLD, *subjects)

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await rotate(runtime.db, NEW, stop)
    assert await by_kek(runtime.db) == {"2026": 3, "2027": 2}
    assert await secrets(runtime, NEW, *subjects) == before
    assert await rotate(runtime.db, NEW) == 3


async def test_a_key_that_is_destroyed_while_it_is_wrapped_anew_stays_destroyed(runtime: Runtime) -> None:
    await made(runtime, OLD, "matter-1", "matter-2")

    class Slow(KeyRing):
        async def unwrap(self, keys: Sequence[tuple[str, Wrapped]]) -> Sequence[bytes]:
            await keys_with(runtime, NEW).destroy("matter-1")
            return await super().unwrap(keys)

    assert await rotate(runtime.db, Slow(NEW.current_id, NEW.keys, NEW.index)) == 1
    assert await by_kek(runtime.db) == {"2027": 1, None: 1}


# Vault


class FakeVault:
    """Answers as the published API of Vault's Transit engine says: versions, batches, bound data, errors in place."""

    def __init__(self) -> None:
        self.versions = [bytes(32)]
        self.asked: list[tuple[str, str]] = []
        self.sealed = False
        self._nonces = count()

    def rotate(self) -> None:
        self.versions.append(bytes([len(self.versions)]) * 32)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append((request.method, request.url.path))
        if self.sealed:
            return httpx2.Response(503, json={"errors": ["Vault is sealed"]})
        if request.headers["X-Vault-Token"] != "s.token":
            return httpx2.Response(403, json={"errors": ["permission denied"]})
        match request.method, request.url.path.split("/")[1:]:
            case "GET", ["v1", "transit", "keys", "commongrid"]:
                data = {"latest_version": len(self.versions), "type": "aes256-gcm96"}
                return httpx2.Response(200, json={"data": data})
            case "POST", ["v1", "transit", ("encrypt" | "decrypt") as what, "commongrid"]:
                batch = json.loads(request.content)["batch_input"]
                results = [self.encrypt(it) if what == "encrypt" else self.decrypt(it) for it in batch]
                status = 400 if any("error" in it for it in results) else 200
                return httpx2.Response(status, json={"data": {"batch_results": results}})
            case _:
                return httpx2.Response(404, json={"errors": []})

    def encrypt(self, it: dict[str, str]) -> dict[str, Any]:
        nonce = next(self._nonces).to_bytes(12, "big")
        aad = b64decode(it.get("associated_data", ""))
        box = nonce + AESGCM(self.versions[-1]).encrypt(nonce, b64decode(it["plaintext"]), aad)
        version = len(self.versions)
        return {"ciphertext": f"vault:v{version}:{b64encode(box).decode()}", "key_version": version}

    def decrypt(self, it: dict[str, str]) -> dict[str, Any]:
        try:
            _, version, box = it["ciphertext"].split(":")
            raw, aad = b64decode(box), b64decode(it.get("associated_data", ""))
            plain = AESGCM(self.versions[int(version[1:]) - 1]).decrypt(raw[:12], raw[12:], aad)
        except (InvalidTag, ValueError):
            return {"error": "cipher: message authentication failed"}
        return {"plaintext": b64encode(plain).decode()}


@pytest.fixture
def fake() -> FakeVault:
    return FakeVault()


@pytest.fixture
def transit(fake: FakeVault, tmp_path: Path) -> Transit:
    token = tmp_path / "token"
    token.write_text("s.token\n")
    return Transit(
        TransitSettings("http://vault.test/", str(token)),
        lambda: httpx2.AsyncClient(transport=httpx2.MockTransport(fake)),
    )


async def test_persons_keys_are_wrapped_by_vault_many_in_one_request(fake: FakeVault, transit: Transit) -> None:
    wrapped = await transit.wrap([("p", b"k" * 32), ("q", b"l" * 32)])
    assert [it.kek for it in wrapped] == ["transit/commongrid:v1"] * 2
    assert await transit.unwrap(list(zip("pq", wrapped, strict=True))) == [b"k" * 32, b"l" * 32]
    assert len(fake.asked) == 2


async def test_vault_unwraps_for_nobody_else(transit: Transit) -> None:
    [wrapped] = await transit.wrap([("p", b"k" * 32)])
    with pytest.raises(DoesNotUnwrap, match="the key of q"):
        await transit.unwrap([("q", wrapped)])
    with pytest.raises(DoesNotUnwrap, match="2026, which is none of transit/commongrid"):
        await transit.unwrap([("p", wrapped._replace(kek="2026"))])


async def test_a_service_works_with_vault_and_turns_to_its_new_version(
    runtime: Runtime, fake: FakeVault, transit: Transit
) -> None:
    before = await made(runtime, transit, "matter-1", "matter-2")
    fake.rotate()
    assert await transit.current() == "transit/commongrid:v2"
    assert await secrets(runtime, transit, "matter-1", "matter-2") == before
    assert await rotate(runtime.db, transit) == 2
    assert await by_kek(runtime.db) == {"transit/commongrid:v2": 2}
    assert await secrets(runtime, transit, "matter-1", "matter-2") == before


async def test_while_vault_is_sealed_or_refuses_it_is_away(fake: FakeVault, transit: Transit, tmp_path: Path) -> None:
    fake.sealed = True
    with pytest.raises(VaultAway, match="503"):
        await transit.wrap([("p", b"k" * 32)])
    fake.sealed = False
    (tmp_path / "token").write_text("s.other")
    with pytest.raises(VaultAway, match="403"):
        await transit.current()
    (tmp_path / "token").unlink()
    with pytest.raises(VaultAway, match="FileNotFoundError"):
        await transit.current()


async def test_nothing_is_recorded_while_vault_is_away_and_what_is_in_memory_still_reads(
    runtime: Runtime, fake: FakeVault, transit: Transit
) -> None:
    keys = runtime.personal.keys
    keys._vault = transit  # pyright: ignore[reportPrivateUsage]
    await runtime.commands.execute(MATTER, "1", Raise())
    await runtime.commands.execute(MATTER, "1", Note("x"))
    fake.sealed = True
    assert (await runtime.commands.load(MATTER, "1"))[0].notes == ("x",)
    await runtime.commands.execute(MATTER, "2", Raise())
    with pytest.raises(VaultAway):
        await runtime.commands.execute(MATTER, "2", Note("y"))


async def test_the_index_key_is_unwrapped_by_vault(fake: FakeVault, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s.token")
    wrapped = fake.encrypt({"plaintext": b64encode(b"i" * 32).decode()})["ciphertext"]
    settings = TransitSettings("http://vault.test", str(tmp_path / "token"), index_key=wrapped)
    vault = Transit(settings, lambda: httpx2.AsyncClient(transport=httpx2.MockTransport(fake)))
    assert await vault.index_key() == b"i" * 32


# Other services' keys


class Owner:
    """A service that gives out keys."""

    def __init__(self) -> None:
        self.keys: dict[str, bytes] = {"person-P1": b"1" * 32}
        self.asked: list[dict[str, Any]] = []
        self.status = 200

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        assert (request.method, request.url.path) == ("POST", "/keys")
        assert request.headers["Authorization"] == "Bearer mine"
        asked = json.loads(request.content)
        self.asked.append(asked)
        keys = {it: b64encode(key).decode() if (key := self.keys.get(it)) else None for it in asked["subjects"]}
        return httpx2.Response(self.status, json={"keys": keys} if self.status == 200 else {"title": "no"})


def client(owner: Answering, tmp_path: Path, cache: KeyCache | None = None) -> KeyClient:
    (tmp_path / "token").write_text("mine\n")
    return KeyClient("http://registry.test/", tmp_path / "token", "telling", cache, httpx2.MockTransport(owner))


async def test_keys_are_asked_for_with_a_purpose_and_those_withheld_are_none(tmp_path: Path) -> None:
    owner = Owner()
    found = await client(owner, tmp_path).obtain(["person-P2", "person-P1"])
    assert {it: key and key.secret for it, key in found.items()} == {"person-P1": b"1" * 32, "person-P2": None}
    assert owner.asked == [{"subjects": ["person-P1", "person-P2"], "purpose": "telling"}]


async def test_keys_stay_in_memory_for_seconds_and_an_erasure_is_learned_of(tmp_path: Path) -> None:
    owner, now = Owner(), [0.0]
    keys = client(owner, tmp_path, KeyCache(5.0, clock=lambda: now[0]))
    await keys.obtain(["person-P1"])
    del owner.keys["person-P1"]
    now[0] = 4.9
    assert (await keys.obtain(["person-P1"]))["person-P1"]
    now[0] = 5.0
    assert (await keys.obtain(["person-P1"]))["person-P1"] is None
    assert len(owner.asked) == 2


async def test_many_are_asked_for_in_parts(tmp_path: Path) -> None:
    owner = Owner()
    found = await client(owner, tmp_path).obtain([f"person-{nth}" for nth in range(1200)])
    assert len(found) == 1200
    assert [len(it["subjects"]) for it in owner.asked] == [500, 500, 200]


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
async def test_whatever_is_no_answer_means_that_the_owner_is_away(tmp_path: Path, status: int) -> None:
    owner = Owner()
    owner.status = status
    with pytest.raises(KeysAway, match=f"answers {status}"):
        await client(owner, tmp_path).obtain(["person-P1"])


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"keys": {}}', b'{"keys": {"person-P1": "AAAA"}}'])
async def test_an_answer_that_is_none_opens_nothing(tmp_path: Path, answer: bytes) -> None:
    with pytest.raises(KeysAway, match="no answer"):
        await client(lambda _: httpx2.Response(200, content=answer), tmp_path).obtain(["person-P1"])


async def test_an_owner_that_cannot_be_reached_is_away(tmp_path: Path) -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    with pytest.raises(KeysAway, match="ConnectError"):
        await client(refuse, tmp_path).obtain(["person-P1"])


# Blind indexes

KEY = bytes(range(32))
numbers = st.text("0123456789", min_size=1, max_size=17)


@given(numbers, numbers)
def test_equal_numbers_are_found_and_others_are_not(one: str, other: str) -> None:
    assert blind_index(KEY, "id_number", one) == blind_index(KEY, "id_number", f" {one[:3]}-{one[3:]}")
    assert (blind_index(KEY, "f", one) == blind_index(KEY, "f", other)) == (normalised(one) == normalised(other))


@given(numbers)
def test_the_same_number_looks_otherwise_in_another_field_and_with_another_key(number: str) -> None:
    found = blind_index(KEY, "id_number", number)
    assert len(found) == 16
    assert found != blind_index(KEY, "phone", number)
    assert found != blind_index(bytes(32), "id_number", number)


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("11010519491231002x", "11010519491231002X"),
        ("１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X"),
        ("138 0013 8000", "13800138000"),
        ("+86 138-0013-8000", "13800138000"),
        ("0086 13800138000", "13800138000"),
        ("0571-8888 8888", "057188888888"),
    ],
)
def test_a_number_is_the_same_however_it_is_written(written: str, means: str) -> None:
    assert normalised(written) == means


def test_where_there_is_no_number_there_is_nothing_to_look_up() -> None:
    with pytest.raises(ValueError, match="nothing"):
        blind_index(KEY, "phone", " - ")


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_two_keys_are_told_apart_by_their_ids(one: bytes, other: bytes) -> None:
    assume(one != other)
    assert PersonKey("p", one).id != PersonKey("p", other).id
