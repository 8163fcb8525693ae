"""A photo as it was sent → a photo that is kept: only the picture, upright, in the colours of any screen.

It is drawn anew, so that nothing else of the file remains: no camera, no position, no thumbnail, no comment, and
nothing hidden behind its end.
"""

from io import BytesIO
from typing import Any, cast

from PIL import Image, ImageCms, ImageOps

from grid_tasks.domain.evidence_refusals import Broken, TooManyPixels
from grid_tasks.evidence.exif import Taken, taken
from grid_tasks.evidence.kinds import JPEG, PNG, WEBP

MOST_PIXELS = 50_000_000
"""A phone's full resolution: decoded they take 150 to 200 MB of memory."""
MOST_SIDE = 4096
"""Pixels: what is larger is made smaller. A 12-megapixel photo stays as it is."""

_READERS = {JPEG: "JPEG", PNG: "PNG", WEBP: "WEBP"}
_WRITING = {
    JPEG: {"quality": 92, "subsampling": "4:2:0", "optimize": True},
    PNG: {"compress_level": 6},
    WEBP: {"quality": 90, "method": 4},
}
_SRGB = ImageCms.ImageCmsProfile(cast("Any", ImageCms).createProfile("sRGB"))


def clean(content: bytes, media_type: str) -> tuple[bytes, Taken]:
    """The picture alone, in the same format, and where and when it was taken. Raises Broken, TooManyPixels."""
    try:
        with Image.open(BytesIO(content), formats=(_READERS[media_type],)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise TooManyPixels(MOST_PIXELS)
            said = taken(image)
            return _drawn(image, media_type), said
    except Image.DecompressionBombError:
        raise TooManyPixels(MOST_PIXELS) from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, OverflowError, MemoryError):
        raise Broken from None  # each of them is what Pillow makes of some broken file


def _drawn(image: Image.Image, media_type: str) -> bytes:
    image.draft("RGB", (MOST_SIDE, MOST_SIDE))  # a larger JPEG is not even decoded at its full size
    image.load()
    profile = image.info.get("icc_profile")
    upright = _upright(image)
    mode = _mode(upright, media_type)
    if upright.mode != mode:
        upright = upright.convert(mode)
    if profile and mode == "RGB" and image.mode == "RGB":
        upright = _in_srgb(upright, profile)
    upright.thumbnail((MOST_SIDE, MOST_SIDE), Image.Resampling.LANCZOS)
    alone = Image.new(upright.mode, upright.size)  # `info`, which writers look into, is empty
    alone.paste(upright)
    written = BytesIO()
    alone.save(written, _READERS[media_type], **_WRITING[media_type])
    return written.getvalue()


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # as in `taken`: notes that cannot be read make no photo a broken one
        return image


def _mode(image: Image.Image, media_type: str) -> str:
    if image.mode == "L":
        return "L" if media_type != WEBP else "RGB"
    return "RGBA" if media_type != JPEG and image.has_transparency_data else "RGB"


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Its colours for screens that know no profiles: a phone's Display P3 would look pale without."""
    try:
        turned = ImageCms.profileToProfile(image, ImageCms.ImageCmsProfile(BytesIO(profile)), _SRGB)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    return turned or image
