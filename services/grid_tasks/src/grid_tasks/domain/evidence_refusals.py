"""Why a photo or other evidence is not taken: each reason a class of its own, which says what would be right."""

from collections.abc import Collection, Mapping

from events import NotFound, Refused


class NotTaken(Refused):
    """A kind of file that is not taken."""

    reason = "not-taken-as-evidence"

    def __init__(self, taken: Collection[str]) -> None:
        super().__init__(
            f"such files are not taken as evidence; taken are: {', '.join(taken)}. "
            "On an iPhone choose Settings, Camera, Formats, Most Compatible to have JPEG rather than HEIC",
            message_zh=f"不接收此类文件；可上传：{'、'.join(taken)}。"
            "苹果手机请在“设置、相机、格式”中选“兼容性最佳”，照片即为 JPEG 而非 HEIC",
            taken=list(taken),
        )


class TooLarge(Refused):
    """More bytes than such a file may have."""

    reason = "evidence-too-large"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"the file is too large: at most {most // 1_000_000} MB of this kind are taken",
            message_zh=f"文件太大：此类文件不超过 {most // 1_000_000} MB",
            most=most,
        )


class TooManyPixels(Refused):
    """A picture that would fill the memory of who opens it."""

    reason = "too-many-pixels"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"the picture is too large: at most {most // 1_000_000} million pixels are taken; choose a smaller "
            "resolution in the camera",
            message_zh=f"图片尺寸太大：不超过 {most // 1_000_000} 百万像素；请在相机中选较低的分辨率",
            most=most,
        )


class NotWhatWasSaid(Refused):
    """The content is of another kind than its media type says."""

    reason = "not-what-was-said"

    def __init__(self, said: str, found: str | None) -> None:
        found_zh = f"内容是 {found}" if found else "内容无法识别"
        super().__init__(
            f"the file was said to be {said}, but its content is {found or 'nothing that is known here'}; "
            "ask for a new place to upload it to, with its right media_type",
            message_zh=f"文件申报为 {said}，但{found_zh}；请以正确的 media_type 重新申请上传",
            said=said,
            found=found,
        )


class Broken(Refused):
    """A picture that cannot be read to its end."""

    reason = "broken-photo"

    def __init__(self) -> None:
        super().__init__(
            "the photo is broken or incomplete and cannot be opened; upload it again, or take another one",
            message_zh="照片已损坏或不完整，无法打开；请重新上传，或重拍一张",
        )


class ArrivedDifferently(Refused):
    """Another size or hash than the sender said: the connection broke off, or it is another file."""

    reason = "arrived-differently"

    def __init__(self) -> None:
        super().__init__(
            "what arrived is not what was announced (bytes, sha256): upload the whole file again",
            message_zh="收到的文件与申报的大小或 SHA-256 不符；请重新上传完整文件",
        )


class NotUploaded(Refused):
    """Nothing has arrived at the place that was given."""

    reason = "not-uploaded-yet"

    def __init__(self) -> None:
        super().__init__(
            "nothing has been uploaded yet: send the file to the address of the ticket, then POST …/complete",
            message_zh="文件尚未上传：请先按上传凭证发送文件，再调用 …/complete",
        )


class AttachedElsewhere(Refused):
    """It belongs to another case already."""

    reason = "attached-elsewhere"

    def __init__(self) -> None:
        super().__init__(
            "this evidence belongs to another case; upload the file again for this one",
            message_zh="该证据已附于另一事件；请为本事件重新上传",
        )


class EvidenceGone(Refused):
    """It was forgotten: nothing named it in time, or its case has passed its period."""

    reason = "evidence-gone"

    def __init__(self) -> None:
        super().__init__(
            "this evidence was deleted, as no case named it within a day or its period has passed; upload it again",
            message_zh="该证据已删除（一天内未附于事件，或保存期限已过）；请重新上传",
        )


class NotKept(Refused):
    """A report or hand-in names what is not kept here."""

    reason = "evidence-not-kept"

    def __init__(self, missing: Mapping[str, str]) -> None:
        super().__init__(
            f"some of the evidence that is named cannot be taken: {', '.join(missing.values())}; "
            "upload and complete each file before you name it",
            message_zh="所列证据中有的无法采用；请先上传并确认每个文件，再列入",
            evidence=dict(missing),
        )


class LinkOver(Refused):
    """A signed address that has expired, or was changed."""

    reason = "link-over"

    def __init__(self) -> None:
        super().__init__(
            "this address has expired or was changed; ask for a new one",
            message_zh="该链接已过期或被改动；请重新获取",
        )


class NoEvidenceHere(Refused):
    """The operators have named no store."""

    reason = "no-evidence-here"

    def __init__(self) -> None:
        super().__init__(
            "this system keeps no photos or other evidence: its operators have set no GRID_TASKS_EVIDENCE",
            message_zh="本系统未启用证据存储（未设置 GRID_TASKS_EVIDENCE）",
        )


class NoSuchEvidence(NotFound):
    """There is none of this id."""

    def __init__(self) -> None:
        super().__init__("there is no such evidence", message_zh="没有该证据")
