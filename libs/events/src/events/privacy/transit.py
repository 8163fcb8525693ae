"""Vault's Transit engine (or OpenBao's) as the vault: the key-encryption key never leaves it.

By the published API, https://developer.hashicorp.com/vault/api-docs/secret/transit: `encrypt` and `decrypt` in batches,
with `associated_data` that binds each key to its subject, so the Transit key must be of an AEAD type:
`vault write transit/keys/commongrid type=aes256-gcm96`. The ciphertext says which version it is under (`vault:v3:…`).
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import httpx2

from events.privacy.vault import DoesNotUnwrap, TransitSettings, VaultAway, Wrapped
from events.together import Together

SECONDS = 5.0


class Transit:
    """A KeyVault. What is asked at the same time goes there together."""

    def __init__(self, settings: TransitSettings, client: Callable[[], httpx2.AsyncClient] | None = None) -> None:
        self._settings = settings
        self._client = client or (lambda: httpx2.AsyncClient(timeout=SECONDS))
        self._wrap_together = Together[tuple[str, bytes], Wrapped](self._encrypt, refusals=(VaultAway,))
        self._id = f"{settings.mount}/{settings.key}"

    async def current(self) -> str:
        found = await self._ask("GET", f"keys/{self._settings.key}")
        return f"{self._id}:v{found['latest_version']}"

    async def wrap(self, keys: Sequence[tuple[str, bytes]]) -> Sequence[Wrapped]:
        if len(keys) == 1:
            return [await self._wrap_together(keys[0])]
        return await self._encrypt(keys)

    async def unwrap(self, keys: Sequence[tuple[str, Wrapped]]) -> Sequence[bytes]:
        if foreign := next((it.kek for _, it in keys if it.kek.rpartition(":")[0] != self._id), None):
            raise DoesNotUnwrap(f"a key is wrapped with {foreign}, which is none of {self._id}")
        asked = [
            {"ciphertext": wrapped.data.decode("ascii", "replace"), "associated_data": _bound(subject)}
            for subject, wrapped in keys
        ]
        found = await self._batch("decrypt", asked)
        unwrapped: list[bytes] = []
        for (subject, _), it in zip(keys, found, strict=True):
            if "plaintext" not in it:
                raise DoesNotUnwrap(f"the key of {subject} does not unwrap in {self._id}")
            unwrapped.append(b64decode(it["plaintext"]))
        return unwrapped

    async def index_key(self) -> bytes:
        if self._settings.index_key is None:
            raise DoesNotUnwrap("there is no index key: wrap 32 random bytes with Transit and set it")
        [found] = await self._batch("decrypt", [{"ciphertext": self._settings.index_key}])
        if "plaintext" not in found:
            raise DoesNotUnwrap(f"the index key does not unwrap in {self._id}")
        return b64decode(found["plaintext"])

    async def _encrypt(self, keys: Sequence[tuple[str, bytes]]) -> Sequence[Wrapped]:
        asked = [{"plaintext": b64encode(key).decode(), "associated_data": _bound(subject)} for subject, key in keys]
        found = await self._batch("encrypt", asked)
        if any("ciphertext" not in it for it in found):
            raise VaultAway(f"{self._id} does not wrap: is it a key of type aes256-gcm96?")
        return [Wrapped(f"{self._id}:{it['ciphertext'].split(':')[1]}", it["ciphertext"].encode()) for it in found]

    async def _batch(self, what: str, asked: Sequence[Mapping[str, str]]) -> Sequence[Mapping[str, str]]:
        found = await self._ask("POST", f"{what}/{self._settings.key}", {"batch_input": asked})
        return cast("Sequence[Mapping[str, str]]", found["batch_results"])

    async def _ask(self, method: str, path: str, body: object = None) -> Mapping[str, Any]:
        url = f"{self._settings.address.rstrip('/')}/v1/{self._settings.mount}/{path}"
        try:
            async with self._client() as http:
                answer = await http.request(method, url, headers=self._headers(), json=body)
        except (httpx2.HTTPError, OSError) as error:
            raise VaultAway(f"Vault does not answer: {type(error).__name__}") from None
        found = _json(answer)
        # A batch of which some does not open is answered 400, with an error in the places of those.
        if answer.status_code != 200 and not (answer.status_code == 400 and "batch_results" in found):
            raise VaultAway(f"Vault answers {answer.status_code} to {path.partition('/')[0]}")
        return found

    def _headers(self) -> dict[str, str]:
        headers = {"X-Vault-Token": Path(self._settings.token).read_text(encoding="utf-8").strip()}
        return headers | ({"X-Vault-Namespace": it} if (it := self._settings.namespace) else {})


def _json(answer: httpx2.Response) -> Mapping[str, Any]:
    try:
        return answer.json()["data"] or {}
    except (ValueError, KeyError, TypeError):
        return {}


def _bound(subject: str) -> str:
    return b64encode(b"commongrid key of " + subject.encode()).decode()
