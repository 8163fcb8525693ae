"""Stores of evidence: a folder, and a real S3-compatible server, hold to the same promises; and signed addresses are
those that Amazon publishes as an example."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from events import Refused, system_clock
from grid_tasks.evidence.folder import Folder
from grid_tasks.evidence.s3 import S3
from grid_tasks.evidence.signing import Credentials, presigned
from grid_tasks.evidence.storage import Store, StoreAway, Ticket, TooMuch
from local.versitygw import VersityGateway

pytestmark = pytest.mark.timeout(900)  # the first run on a machine builds the S3 server

CONTENT = b"a photo, as it were"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
PHOTO = "0199d1a0740e7f21a60b1c9d3e5f7a92"
JPEG = "image/jpeg"
EXAMPLE = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
"""Of Amazon's documentation."""


def test_a_signed_address_is_the_one_that_amazon_publishes_as_its_example() -> None:
    at = datetime(2013, 5, 24, tzinfo=UTC)
    url = presigned("GET", "https://examplebucket.s3.amazonaws.com/test.txt", EXAMPLE, at, timedelta(days=1))
    assert url == (
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


def test_a_secret_does_not_show_when_credentials_are_printed() -> None:
    assert EXAMPLE.secret_key not in repr(EXAMPLE)


@dataclass
class Clock:
    """The real time, moved by hand where a test says so."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return system_clock() + self.ahead


@dataclass
class Place:
    """A store, and how the sender and the reader go about it."""

    store: Store
    clock: Clock
    send: Callable[[Ticket, bytes], Awaitable[int]]
    """Sends to a ticket's address; answers with the HTTP status, 410 for an address that is not good."""


def bucket_of(gateway: VersityGateway, clock: Clock, secret: str | None = None) -> S3:
    return S3(f"{gateway.url}/evidence", Credentials(gateway.access_key, secret or gateway.secret_key), clock)


@pytest.fixture
def s3(gateway: VersityGateway) -> Place:
    clock = Clock()

    async def send(ticket: Ticket, content: bytes) -> int:
        async with httpx2.AsyncClient(trust_env=False) as http:
            headers = {**ticket.headers, "Content-Length": str(len(content))}
            return (await http.request(ticket.method, ticket.url, headers=headers, content=content)).status_code

    return Place(bucket_of(gateway, clock), clock, send)


async def blocks(content: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(content), 7):
        yield content[at : at + 7]


@pytest.fixture
def folder(tmp_path: Path) -> Place:
    clock = Clock()
    folder = Folder(tmp_path / "evidence", clock)

    async def send(ticket: Ticket, content: bytes) -> int:
        place = urlsplit(ticket.url)
        query = {name: it[0] for name, it in parse_qs(place.query).items()}
        id_ = place.path.split("/")[2]
        try:
            folder.require(ticket.method, id_, int(query["size"]), int(query["expires"]), query["signature"])
            await folder.take(id_, int(query["size"]), blocks(content))
        except Refused:
            return 410
        return 200

    return Place(folder, clock, send)


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest) -> Place:
    return request.getfixturevalue(request.param)


async def test_what_is_sent_to_a_tickets_address_arrives_and_can_be_deleted(place: Place) -> None:
    assert await place.store.sent(PHOTO, 100) is None
    assert await place.send(place.store.upload(PHOTO, JPEG, len(CONTENT)), CONTENT) == 200
    assert await place.store.sent(PHOTO, len(CONTENT)) == CONTENT
    await place.store.drop_sent(PHOTO)
    await place.store.drop_sent(PHOTO)
    assert await place.store.sent(PHOTO, 100) is None


async def test_more_than_was_announced_is_not_taken_and_not_read(place: Place) -> None:
    assert await place.send(place.store.upload(PHOTO, JPEG, len(CONTENT) - 1), CONTENT) >= 400
    assert await place.store.sent(PHOTO, 100) is None
    assert await place.send(place.store.upload(PHOTO, JPEG, len(CONTENT)), CONTENT) == 200
    with pytest.raises(TooMuch):
        await place.store.sent(PHOTO, len(CONTENT) - 1)
    await place.store.drop_sent(PHOTO)


async def test_less_than_was_announced_is_not_taken(place: Place) -> None:
    assert await place.send(place.store.upload(PHOTO, JPEG, len(CONTENT) + 1), CONTENT) >= 400
    assert await place.store.sent(PHOTO, 100) is None


async def test_an_address_that_was_changed_is_not_good(place: Place) -> None:
    ticket = place.store.upload(PHOTO, JPEG, len(CONTENT))
    other = PHOTO.replace("a92", "a93")
    for url in (ticket.url.replace(PHOTO, other), ticket.url[:-1] + ("0" if ticket.url[-1] != "0" else "1")):
        changed = Ticket(ticket.method, url, ticket.headers, ticket.expires)
        assert await place.send(changed, CONTENT) in (403, 410)
    assert await place.store.sent(PHOTO, 100) is await place.store.sent(other, 100) is None


async def test_an_address_is_good_for_minutes_only(place: Place) -> None:
    place.clock.ahead = -timedelta(minutes=20)
    ticket = place.store.upload(PHOTO, JPEG, len(CONTENT))
    place.clock.ahead = timedelta()
    assert ticket.expires < system_clock()
    assert await place.send(ticket, CONTENT) in (403, 410)


async def test_what_is_kept_is_deleted_when_it_is_to_be(s3: Place) -> None:
    await s3.store.keep(PHOTO, DIGEST, CONTENT, JPEG)
    link = s3.store.download(PHOTO, DIGEST, JPEG)
    async with httpx2.AsyncClient(trust_env=False) as http:
        answer = await http.get(link.url)
        assert (answer.status_code, answer.content) == (200, CONTENT)
        assert answer.headers["content-type"] == JPEG
        assert answer.headers["content-disposition"].startswith("attachment")
        assert (await http.get(link.url.replace("attachment", "inline"))).status_code == 403
        assert (await http.delete(link.url)).status_code == 403, "who may read it may not delete it"
        await s3.store.drop_kept(PHOTO, DIGEST)
        await s3.store.drop_kept(PHOTO, DIGEST)
        assert (await http.get(link.url)).status_code == 404


async def test_what_is_sent_later_does_not_take_the_place_of_what_is_kept(place: Place) -> None:
    await place.store.keep(PHOTO, DIGEST, CONTENT, JPEG)
    await place.store.keep(PHOTO, "0" * 64, b"another", JPEG)
    if isinstance(place.store, Folder):
        assert await place.store.kept(PHOTO, DIGEST) == CONTENT
    else:
        async with httpx2.AsyncClient(trust_env=False) as http:
            assert (await http.get(place.store.download(PHOTO, DIGEST, JPEG).url)).content == CONTENT


async def test_a_store_that_does_not_know_us_or_is_not_there_is_away(gateway: VersityGateway) -> None:
    for store in (
        bucket_of(gateway, Clock(), secret="wrong"),
        S3("http://127.0.0.1:9/evidence", Credentials("a", "b"), system_clock),
    ):
        with pytest.raises(StoreAway) as raised:
            await store.keep(PHOTO, DIGEST, CONTENT, JPEG)
        assert "Signature" not in str(raised.value)
        assert "127.0.0.1" not in str(raised.value)


async def test_processes_that_share_a_folder_take_each_others_addresses(tmp_path: Path) -> None:
    one, other = (Folder(tmp_path, Clock()) for _ in range(2))
    query = parse_qs(urlsplit(one.upload(PHOTO, JPEG, 5).url).query)
    other.require("PUT", PHOTO, 5, int(query["expires"][0]), query["signature"][0])
    with pytest.raises(Refused):
        other.require("GET", PHOTO, 5, int(query["expires"][0]), query["signature"][0])
    with pytest.raises(Refused):
        other.require("PUT", PHOTO, 6, int(query["expires"][0]), query["signature"][0])


@pytest.mark.parametrize("id_", ["../signing.key", "a/b", "", "..", "x" * 200])
async def test_no_id_leads_out_of_the_folder(tmp_path: Path, id_: str) -> None:
    folder = Folder(tmp_path / "evidence", Clock())
    folder.upload(PHOTO, JPEG, 5)
    with pytest.raises(Refused):
        await folder.sent(id_, 100)
    with pytest.raises(Refused):
        await folder.drop_sent(id_)


def files_in(folder: Path) -> list[Path]:
    return [it for it in folder.rglob("*") if it.is_file()]


async def test_who_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield CONTENT[:5]
        raise ConnectionResetError

    folder = Folder(tmp_path, Clock())
    with pytest.raises(ConnectionResetError):
        await folder.take(PHOTO, len(CONTENT), broken())
    assert files_in(tmp_path) == []


async def test_the_files_of_a_folder_are_their_owners_alone(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "evidence", Clock())
    folder.upload(PHOTO, JPEG, 5)
    await folder.take(PHOTO, len(CONTENT), blocks(CONTENT))
    await folder.keep(PHOTO, DIGEST, CONTENT, JPEG)
    files = files_in(tmp_path)
    assert len(files) == 3
    assert {it.stat().st_mode & 0o077 for it in files} == {0}
