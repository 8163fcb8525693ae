"""What a file is, by its first bytes: neither its name nor what its sender says counts."""

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"
PHOTOS = frozenset({JPEG, PNG, WEBP})

_BEGINNINGS = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
)
_BRANDS = {
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"qt  ": "video/quicktime",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"hevc": "image/heic",
    b"mif1": "image/heic",
    b"msf1": "image/heic",
    b"avif": "image/avif",
}
_FILM_OR_SOUND = frozenset({b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"dash", b"M4V "})
"""Brands (ISO/IEC 14496-12) of files that may hold film or only sound."""


def media_types_of(content: bytes) -> tuple[str, ...]:
    """What it may be, likeliest first; empty if that is nothing known here."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return (WEBP,)
    if content[4:8] == b"ftyp":
        brand = content[8:12]
        if brand in _FILM_OR_SOUND or brand.startswith(b"3gp"):
            return ("video/mp4", "audio/mp4")
        return (_BRANDS[brand],) if brand in _BRANDS else ()
    return tuple(kind for beginning, kind in _BEGINNINGS if content.startswith(beginning))
