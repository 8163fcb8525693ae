"""Where and when a photo was taken, as its camera wrote it down (EXIF 2.32, CIPA DC-008).

Cameras write nonsense at times, and anybody can write what they like: what cannot be right counts as not written.
"""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from contracts.common import Place
from PIL import ExifTags, Image

CHINA = timezone(timedelta(hours=8))


class Taken(NamedTuple):
    """The camera's words. `datum` is the geodetic datum it names, None if it names none."""

    place: Place | None = None
    datum: str | None = None
    at: datetime | None = None


def taken(image: Image.Image) -> Taken:
    """Where and when this image was taken, as far as it says so rightly."""
    try:
        exif = image.getexif()
        position, camera = exif.get_ifd(ExifTags.IFD.GPSInfo), exif.get_ifd(ExifTags.IFD.Exif)
    except Exception:  # whatever a broken EXIF block makes of its reader: the picture may be good all the same
        return Taken()
    place = _place(position)
    return Taken(place, _text(position.get(ExifTags.GPS.GPSMapDatum))[:40] or None if place else None, _at(camera))


def _place(position: Mapping[int, Any]) -> Place | None:
    latitude = _degrees(position, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, "N", "S", 90)
    longitude = _degrees(position, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, "E", "W", 180)
    if latitude is None or longitude is None or latitude == longitude == 0:  # 0, 0: a camera that had no fix
        return None
    return Place(longitude=longitude, latitude=latitude)


def _degrees(position: Mapping[int, Any], tag: int, reference: int, plus: str, minus: str, most: int) -> float | None:
    sign = {plus: 1, minus: -1}.get(_text(position.get(reference)).upper())
    try:
        degrees, minutes, seconds = (float(it) for it in position[tag])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    if sign is None or not math.isfinite(value) or not (0 <= minutes < 60 and 0 <= seconds < 60 and 0 <= value <= most):
        return None
    return round(sign * value, 7)


def _at(camera: Mapping[int, Any]) -> datetime | None:
    written = _text(camera.get(ExifTags.Base.DateTimeOriginal))
    offset = _text(camera.get(ExifTags.Base.OffsetTimeOriginal))
    try:
        at = datetime.strptime(written, "%Y:%m:%d %H:%M:%S")  # its offset stands elsewhere, if anywhere
    except ValueError:
        return None
    try:
        zone = datetime.strptime(offset, "%z").tzinfo
    except ValueError:
        zone = CHINA
    return at.replace(tzinfo=zone) if at.year >= 1990 else None


def _text(value: Any) -> str:
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value or "")
    return "".join(it for it in text if it.isprintable()).strip()
