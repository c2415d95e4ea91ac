"""Private files on all kinds of file systems, and advice for their errors.

SMB, FAT, some FUSE and NFS mounts do not support modes or syncing; this is only warned of, once.
"""

from __future__ import annotations

import errno
import logging
import os
from functools import cache

from batchscan.util import system

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
# Errors of file systems without modes, links or syncing: SMB, FAT, some FUSE and NFS mounts.
_NOT_HERE = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
_UNSYNCED = "the file system of state or output cannot be synced: a power cut may lose answers"
CHOOSE = "or choose another folder with --output"
_log = logging.getLogger(__name__)


def open_private(path: str | os.PathLike[str], flags: int) -> int:
    """Open a file that only its owner can read, independent of the umask; returns its descriptor.

    Args:
        path: where it is, or shall be where the flags say so.
        flags: as of `os.open`; it is never inherited by other programs.

    Raises:
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, flags | system.O_CLOEXEC, 0o600)
    try:
        make_private(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def make_private(path: int | str | os.PathLike[str], mode: int = 0o600) -> None:
    """Set a mode, independent of the umask; if the file system has none, this is warned of once.

    Raises:
        OSError: it was refused for another reason.
    """
    try:
        os.chmod(path, mode)
    except OSError as error:
        if error.errno not in _NOT_HERE:
            raise
        warn_once(
            "the file system of state or output has no file modes: other users may be able to read it"
        )


def sync(descriptor: int) -> bool:
    """Sync a file to disk; False if its file system cannot, which is warned of once.

    Raises:
        OSError: it cannot be written.
    """
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NOT_HERE:
            raise
        warn_once(_UNSYNCED)
        return False
    return True


def can_sync(path: str | os.PathLike[str]) -> bool:
    """Whether a file can be synced to disk; if not, this is warned of."""
    descriptor = os.open(path, os.O_RDWR | system.O_CLOEXEC)
    try:
        return sync(descriptor)
    finally:
        os.close(descriptor)


@cache
def warn_once(what: str) -> None:
    """Warn of something that a file system lacks, once per process."""
    _log.warning("%s", what)


def advice_for(error: OSError, otherwise: str = CHOOSE) -> str:
    """Advice for an error of the file system."""
    if not otherwise.startswith("or "):
        return otherwise
    if error.errno in _FULL:
        return f"free some space, {otherwise}"
    if error.errno in _DENIED:
        return f"correct the permissions, {otherwise}"
    if error.errno == errno.EMFILE:
        return "raise the limit of open files (ulimit -n), or use fewer at once: -j 8"
    return otherwise.removeprefix("or ")
