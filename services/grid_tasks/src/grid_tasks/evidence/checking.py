"""What was sent, looked at: a calculation on bytes."""

import hashlib
from collections.abc import Collection

from grid_tasks.domain.evidence import MOST_BYTES, Found
from grid_tasks.domain.evidence_refusals import ArrivedDifferently, NotTaken, NotWhatWasSaid
from grid_tasks.evidence.kinds import PHOTOS, media_types_of


def checked(content: bytes, media_type: str, size: int, sha256: str | None) -> tuple[bytes, Found]:
    """What is to be kept of it, and what it was found to be. `media_type`, `size` and `sha256` are the sender's words.

    A photo is drawn anew; anything else is kept as it is. Raises ArrivedDifferently, NotWhatWasSaid, NotTaken, Broken,
    TooManyPixels.
    """
    sent = hashlib.sha256(content).hexdigest()
    if len(content) != size or sha256 not in (None, sent):
        raise ArrivedDifferently
    _require_said(media_types_of(content), media_type)
    if media_type not in PHOTOS:
        return content, Found(media_type, len(content), sent, sent)
    from grid_tasks.evidence.photo import clean  # with Pillow, some megabytes that only who takes a photo needs

    kept, said = clean(content, media_type)
    digest = hashlib.sha256(kept).hexdigest()
    return kept, Found(media_type, len(kept), digest, sent, said.place, said.datum, said.at)


def _require_said(found: Collection[str], said: str) -> None:
    if said in found:
        return
    kind = next(iter(found), None)
    if kind and kind not in MOST_BYTES:
        raise NotTaken(MOST_BYTES)  # a HEIC that was called a JPEG
    raise NotWhatWasSaid(said, kind)
