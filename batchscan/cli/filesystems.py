"""Which file system a folder is on: SQLite's locks do not hold on shares of other machines."""

from __future__ import annotations

import os
import re

_MOUNTS = "/proc/self/mounts"  # Linux; elsewhere nobody knows
_NETWORK = frozenset(
    {"9p", "afpfs", "afs", "beegfs", "ceph", "cifs", "davfs", "drvfs", "glusterfs", "lustre"}
    | {"ncpfs", "nfs", "nfs3", "nfs4", "smb", "smb2", "smb3", "smbfs", "webdav"}
    | {"fuse.davfs2", "fuse.gcsfuse", "fuse.glusterfs", "fuse.gvfsd-fuse", "fuse.rclone"}
    | {"fuse.s3fs", "fuse.smbnetfs", "fuse.sshfs"}
)
_OCTAL = re.compile(r"\\([0-7]{3})")  # how the kernel writes a space in a mount point


def file_system(path: str, mounts: str = _MOUNTS) -> str | None:
    """The type of the file system that holds a path, there or not: `ext4`, `nfs4`.

    Args:
        path: the path.
        mounts: the file in which the kernel lists what is mounted.

    Returns:
        None where nobody knows.
    """
    try:
        with open(mounts, encoding="utf-8", errors="surrogateescape") as file:
            lines = [line.split(" ") for line in file]
    except OSError:
        return None
    real = os.path.join(os.path.realpath(path), "")
    found = None
    longest = 0
    for _, point, kind, *_ in (fields for fields in lines if len(fields) > 2):  # noqa: PLR2004
        mount = os.path.join(_OCTAL.sub(_character, point), "")
        if real.startswith(mount) and len(mount) >= longest:  # later mounts hide earlier ones
            found, longest = kind, len(mount)
    return found


def is_network(kind: str | None) -> bool:
    """Whether a type of file system is that of another machine's disk."""
    return kind in _NETWORK


def _character(octal: re.Match[str]) -> str:
    return chr(int(octal[1], 8))
