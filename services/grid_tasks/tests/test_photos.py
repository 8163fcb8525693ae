"""What becomes of a photo: what it is counts, not what it is called; what its camera wrote is read and goes."""

import hashlib
import struct
import zlib
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, cast

import pytest
from contracts.common import Place
from events import Refused
from grid_tasks.domain.evidence import Found
from grid_tasks.evidence.checking import checked
from grid_tasks.evidence.photo import MOST_SIDE
from PIL import ExifTags, Image, ImageCms

from .pictures import HUZHOU, JPEG, PNG, SECRET, TAKEN, WEBP, exif, photo, picture

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")
"""What Pillow says of broken notes: they are broken on purpose here."""
EVERY = pytest.mark.parametrize("media_type", [JPEG, PNG, WEBP])


def looked_at(content: bytes, media_type: str = JPEG) -> tuple[bytes, Found]:
    return checked(content, media_type, len(content), None)


def refused(content: bytes, media_type: str = JPEG) -> Refused:
    with pytest.raises(Refused) as raised:
        looked_at(content, media_type)
    assert raised.value.details["message_zh"], "it is told in Chinese too"
    return raised.value


@EVERY
def test_where_and_when_it_was_taken_is_read_and_nothing_of_it_stays_in_the_photo(media_type: str) -> None:
    sent = photo(media_type)
    assert SECRET in sent or media_type == PNG
    kept, found = looked_at(sent, media_type)
    assert found.place == Place(longitude=120.0945, latitude=30.8723)
    assert found.datum == "WGS-84"
    assert found.taken_at == datetime(2026, 11, 24, 0, 58, 1, tzinfo=UTC)
    with Image.open(BytesIO(kept)) as image:
        assert dict(image.getexif()) == {}
        assert not {"exif", "xmp", "comment", "Author", "icc_profile"} & image.info.keys()
    for trace in (SECRET, b"Exif", b"eXIf", b"http://ns.adobe.com", b"GPS"):
        assert trace not in kept


@EVERY
def test_hashes_are_of_what_was_sent_and_of_what_is_kept(media_type: str) -> None:
    sent = photo(media_type)
    kept, found = looked_at(sent, media_type)
    assert found.sha256_sent == hashlib.sha256(sent).hexdigest()
    assert found.sha256 == hashlib.sha256(kept).hexdigest() != found.sha256_sent
    assert (found.media_type, found.bytes) == (media_type, len(kept))


@EVERY
def test_a_photo_that_lay_on_its_side_is_kept_upright(media_type: str) -> None:
    kept, _ = looked_at(photo(media_type, orientation=6), media_type)  # turned a quarter to the right to be upright
    with Image.open(BytesIO(kept)) as image:
        assert image.size == (48, 64)
        red, _, blue = image.convert("RGB").getpixel((40, 8))  # type: ignore[misc]
        assert red > 200 > 100 > blue


@EVERY
def test_nothing_that_was_hung_on_behind_the_picture_stays(media_type: str) -> None:
    kept, _ = looked_at(photo(media_type) + b"PK\x03\x04<script>", media_type)
    assert b"<script>" not in kept


def test_a_small_photo_keeps_its_size_and_a_huge_one_is_made_smaller() -> None:
    with Image.open(BytesIO(looked_at(photo())[0])) as image:
        assert image.size == (64, 48)
    with Image.open(BytesIO(looked_at(photo(image=picture(6000, 3000)))[0])) as image:
        assert image.size == (MOST_SIDE, MOST_SIDE // 2)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "CMYK", "1", "I;16"])
def test_photos_in_every_kind_of_colours_are_taken(mode: str) -> None:
    media_type = JPEG if mode == "CMYK" else PNG
    image = picture(mode="L").convert("I;16") if mode == "I;16" else picture().convert(mode)
    written = BytesIO()
    image.save(written, "JPEG" if mode == "CMYK" else "PNG")
    kept, _ = looked_at(written.getvalue(), media_type)
    with Image.open(BytesIO(kept)) as again:
        assert again.size == (64, 48)


def test_what_is_transparent_in_a_screenshot_stays_so() -> None:
    kept, _ = looked_at(photo(PNG, picture(mode="RGBA")), PNG)
    with Image.open(BytesIO(kept)) as image:
        assert image.mode == "RGBA"


def test_a_cameras_own_colours_are_turned_into_those_of_any_screen() -> None:
    written = BytesIO()
    profile = ImageCms.ImageCmsProfile(cast("Any", ImageCms).createProfile("sRGB")).tobytes()
    picture().save(written, "JPEG", icc_profile=profile, quality=95)
    kept, _ = looked_at(written.getvalue())
    with Image.open(BytesIO(kept)) as image:
        assert "icc_profile" not in image.info
        red, _, _ = image.getpixel((5, 5))  # type: ignore[misc]
        assert red > 240


@pytest.mark.parametrize(
    "change",
    [
        {ExifTags.GPS.GPSLatitude: (91.0, 0.0, 0.0)},
        {ExifTags.GPS.GPSLatitude: (30.0, 75.0, 0.0)},
        {ExifTags.GPS.GPSLatitudeRef: "X"},
        {ExifTags.GPS.GPSLatitude: (0.0, 0.0, 0.0), ExifTags.GPS.GPSLongitude: (0.0, 0.0, 0.0)},
    ],
)
def test_a_position_that_cannot_be_right_counts_as_none(change: dict[int, object]) -> None:
    _, found = looked_at(photo(position=HUZHOU | change))
    assert (found.place, found.datum) == (None, None)


def test_south_and_west_are_below_nought() -> None:
    there = HUZHOU | {ExifTags.GPS.GPSLatitudeRef: "S", ExifTags.GPS.GPSLongitudeRef: "W"}
    assert looked_at(photo(position=there))[1].place == Place(longitude=-120.0945, latitude=-30.8723)


def test_a_camera_that_names_no_offset_is_in_china() -> None:
    camera = {tag: it for tag, it in TAKEN.items() if tag != ExifTags.Base.OffsetTimeOriginal}
    assert looked_at(photo(camera=camera))[1].taken_at == datetime(2026, 11, 24, 0, 58, 1, tzinfo=UTC)


@pytest.mark.parametrize("when", ["0000:00:00 00:00:00", "yesterday", "1904:01:01 00:00:00", ""])
def test_a_time_that_cannot_be_right_counts_as_none(when: str) -> None:
    assert looked_at(photo(camera={ExifTags.Base.DateTimeOriginal: when}))[1].taken_at is None


def test_a_good_photo_with_broken_notes_is_taken_without_them() -> None:
    block = exif(HUZHOU, TAKEN)
    written = BytesIO()
    picture().save(written, "JPEG", exif=block[:20] + b"\xff" * (len(block) - 20))
    _, found = looked_at(written.getvalue())
    assert found.place is None


# What is refused.


def outcome(content: bytes, media_type: str) -> str:
    try:
        looked_at(content, media_type)
    except Refused as why:
        return why.reason
    return "kept"


@EVERY
@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
def test_a_photo_that_ends_too_early_is_broken(media_type: str, part: float) -> None:
    whole = photo(media_type, picture(300, 200).effect_spread(20))
    assert refused(whole[: int(len(whole) * part)], media_type).reason == "broken-photo"


@EVERY
def test_no_rubbish_in_a_photos_clothes_brings_us_down(media_type: str) -> None:
    whole = photo(media_type)
    for at in range(16, len(whole), max(1, len(whole) // 150)):
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        assert outcome(bytes(damaged), media_type) in ("kept", "broken-photo", "too-many-pixels", "not-what-was-said")


@pytest.mark.parametrize("side", [8_000, 60_000])
def test_a_picture_that_would_fill_the_memory_is_refused_unopened(side: int) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    assert refused(bomb, PNG).reason == "too-many-pixels"


def test_a_photo_of_another_kind_than_was_said_is_refused_with_what_it_is() -> None:
    why = refused(photo(PNG), JPEG)
    assert (why.reason, why.details["said"], why.details["found"]) == ("not-what-was-said", JPEG, PNG)
    assert "image/png" in why.details["message_zh"]


@pytest.mark.parametrize("content", [b"<html><script>alert(1)</script>", b"MZ\x90\0", b"", b"<svg xmlns='x'/>"])
def test_what_is_no_photo_at_all_is_refused(content: bytes) -> None:
    assert refused(content).reason == "not-what-was-said"


def test_an_iphones_heic_under_another_name_is_refused_with_how_to_have_jpeg() -> None:
    why = refused(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 100)
    assert why.reason == "not-taken-as-evidence"
    assert "兼容性最佳" in why.details["message_zh"]


def test_what_arrives_with_another_size_or_hash_than_was_said_is_refused() -> None:
    whole = photo()
    for size, digest in ((len(whole) + 1, None), (len(whole), "0" * 64)):
        with pytest.raises(Refused) as raised:
            checked(whole, JPEG, size, digest)
        assert raised.value.reason == "arrived-differently"
    _, found = checked(whole, JPEG, len(whole), hashlib.sha256(whole).hexdigest())
    assert found.media_type == JPEG


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("application/pdf", b"%PDF-1.7\n..."),
        ("audio/mpeg", b"ID3\x04\0\0"),
        ("audio/mpeg", b"\xff\xfb\x90\x64"),
        ("audio/mp4", b"\0\0\0\x1cftypM4A \0\0"),
        ("audio/mp4", b"\0\0\0\x1cftypmp42\0\0"),
        ("video/mp4", b"\0\0\0\x1cftypisom\0\0"),
        ("video/mp4", b"\0\0\0\x1cftyp3gp5\0\0"),
        ("video/quicktime", b"\0\0\0\x14ftypqt  \0\0"),
    ],
)
def test_documents_and_recordings_are_known_by_how_they_begin_and_kept_as_they_are(
    media_type: str, content: bytes
) -> None:
    kept, found = looked_at(content, media_type)
    assert kept == content
    assert found.sha256 == found.sha256_sent == hashlib.sha256(content).hexdigest()
    assert refused(b"PK\x03\x04" + content, media_type).reason == "not-what-was-said"
