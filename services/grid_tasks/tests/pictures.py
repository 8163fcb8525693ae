"""Photos that the tests send: drawn here, with what cameras write into them."""

from io import BytesIO
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"
FORMATS = {JPEG: "JPEG", PNG: "PNG", WEBP: "WEBP"}
HUZHOU: dict[int, Any] = {
    ExifTags.GPS.GPSLatitudeRef: "N",
    ExifTags.GPS.GPSLatitude: (30.0, 52.0, 20.28),
    ExifTags.GPS.GPSLongitudeRef: "E",
    ExifTags.GPS.GPSLongitude: (120.0, 5.0, 40.2),
    ExifTags.GPS.GPSMapDatum: "WGS-84",
}
"""30.8723, 120.0945."""
TAKEN: dict[int, Any] = {
    ExifTags.Base.DateTimeOriginal: "2026:11:24 08:58:01",
    ExifTags.Base.OffsetTimeOriginal: "+08:00",
    ExifTags.Base.CameraOwnerName: "王小明",
}
SECRET = b"a-name-that-must-not-stay"


def picture(width: int = 64, height: int = 48, mode: str = "RGB") -> Image.Image:
    """Red above on the left, blue elsewhere."""
    image = Image.new(mode, (width, height), {"L": 200, "RGBA": (0, 0, 255, 128)}.get(mode, (0, 0, 255)))  # type: ignore[arg-type]
    if mode != "L":
        image.paste((255, 0, 0), (0, 0, width // 2, height // 2))
    return image


def exif(position: dict[int, Any] | None = None, camera: dict[int, Any] | None = None, orientation: int = 1) -> bytes:
    """A block of EXIF as a camera writes it."""
    block = Image.Exif()
    block[ExifTags.Base.Orientation] = orientation
    block[ExifTags.Base.Make] = SECRET.decode()
    if position:
        block.get_ifd(ExifTags.IFD.GPSInfo).update(position)
    if camera:
        block.get_ifd(ExifTags.IFD.Exif).update({tag: it for tag, it in camera.items() if isinstance(it, str)})
    return block.tobytes()


def photo(media_type: str = JPEG, image: Image.Image | None = None, **exif_of: Any) -> bytes:
    """A photo with all that may stand in one: EXIF, a comment, XMP."""
    written = BytesIO()
    notes: dict[str, Any] = {"position": HUZHOU, "camera": TAKEN} | exif_of
    options: dict[str, Any] = {"exif": exif(**notes), "xmp": SECRET}
    if media_type == JPEG:
        options |= {"comment": SECRET, "quality": 95}
    if media_type == PNG:
        text = PngImagePlugin.PngInfo()
        text.add_text("Author", SECRET.decode())
        options |= {"pnginfo": text}
        del options["xmp"]
    (image or picture()).save(written, FORMATS[media_type], **options)
    return written.getvalue()
