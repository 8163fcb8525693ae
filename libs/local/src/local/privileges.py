"""PostgreSQL refuses to run as root. Started by root it runs as the user `nobody`, where its data already is.

That user must pass through folders that only their owner may enter, such as a home with mode 0700. Opening these to
everybody, as the wheel's own helper does, would be wrong; copying data and programs elsewhere would hide them. So the
server keeps one capability over that change of user: to search and read any folder (CAP_DAC_READ_SEARCH), and only if
it is needed. Containers often have only the wider CAP_DAC_OVERRIDE; then it is that one.
"""

import ctypes
import os
import pwd
import stat
import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.errors import MissingPart

_PR_SET_SECUREBITS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 28, 47, 2
_NO_SETUID_FIXUP = 1 << 2
_CAPABILITY_VERSION_3 = 0x20080522
_DAC_OVERRIDE, _DAC_READ_SEARCH, _SETPCAP = 1, 2, 8
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class ServerUser:
    """Who a server runs as when we are root."""

    uid: int
    gid: int
    capability: int | None

    def own(self, path: Path) -> None:
        """Gives it a folder or file."""
        os.chown(path, self.uid, self.gid)

    def become(self) -> None:
        """In a child between fork and exec: is this user from now on."""
        if self.capability is not None:
            # Capabilities stay over the change of user, and count in access(2) too, by which initdb looks for postgres.
            _done("prctl", _libc.prctl(_PR_SET_SECUREBITS, _NO_SETUID_FIXUP, 0, 0, 0))
        os.setgroups([])
        os.setresgid(self.gid, self.gid, self.gid)
        os.setresuid(self.uid, self.uid, self.uid)
        if self.capability is not None:
            bit = 1 << self.capability
            header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
            _done("capset", _libc.capset(header, struct.pack("=6I", bit, bit, bit, 0, 0, 0)))
            _done("prctl", _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, self.capability, 0, 0))


def _done(call: str, result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), call)


def server_user(paths: Sequence[Path]) -> ServerUser | None:
    """The user for a server that must reach these paths; None if we are not root, so that it can run as we do.

    Raises MissingPart if that user could not reach them.
    """
    if os.geteuid() != 0:
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise MissingPart(
            "PostgreSQL does not run as root, and this system has no user nobody: use another user"
        ) from None
    closed = next((folder for path in paths for folder in (path, *path.parents) if not _open_to_all(folder)), None)
    if closed is None:
        return ServerUser(nobody.pw_uid, nobody.pw_gid, None)
    ours = {number for number in (_DAC_READ_SEARCH, _DAC_OVERRIDE, _SETPCAP) if _permitted() >> number & 1}
    capability = next((it for it in (_DAC_READ_SEARCH, _DAC_OVERRIDE) if {it, _SETPCAP} <= ours), None)
    if capability is None:
        raise MissingPart(
            f"PostgreSQL does not run as root, and the user nobody may not enter {closed}: "
            "run this as an ordinary user, or in a folder that everybody may enter"
        )
    return ServerUser(nobody.pw_uid, nobody.pw_gid, capability)


def _open_to_all(path: Path) -> bool:
    readable_and_searchable = stat.S_IROTH | stat.S_IXOTH
    return not path.exists() or path.stat().st_mode & readable_and_searchable == readable_and_searchable


def _permitted() -> int:
    if sys.platform != "linux":
        return 0
    lines = Path("/proc/self/status").read_text().splitlines()
    return next((int(line.split()[1], 16) for line in lines if line.startswith("CapPrm:")), 0)


def prepared(user: ServerUser | None) -> Callable[[], None] | None:
    """What a child does before it becomes the server."""
    return user.become if user else None
