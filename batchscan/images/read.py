"""Reading one file: it is opened and read once, so that the judged bytes are the sent ones."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from typing import Final

from batchscan.enums import FailReason, RejectReason
from batchscan.images import kinds
from batchscan.images.judge import Judge
from batchscan.images.judged import judged
from batchscan.images.kinds import ImageFormat
from batchscan.images.large import LargeFile
from batchscan.images.read_remote import heads, inspect_remote
from batchscan.images.rules import InspectionFailed, Rules, check_size
from batchscan.images.signature import HEAD_BYTES, is_icon_directory, sniff
from batchscan.model import Candidate, Image, NotSendable, Stat
from batchscan.util import system
from batchscan.util.paths import is_url

_FLAGS: Final = (
    os.O_RDONLY | system.O_NONBLOCK | system.O_CLOEXEC
)  # non-blocking: a FIFO has no writer
# Errors of a file that was removed, or replaced by a link or socket: it is not unreadable.
_NO_FILE: Final = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO)
_FOLDER: Final = os.O_RDONLY | system.O_DIRECTORY | system.O_CLOEXEC


def inspect(
    candidate: Candidate,
    judge: Judge,
    rules: Rules,
    *,
    follow: bool = False,
    convert: bool = False,
) -> Image | NotSendable:
    """Read, hash and judge one file; blocking, so run it in a thread.

    A problem with the file is a result, not an exception. Links are followed if the user named
    them (`candidate.named_by_user`) or with `follow`. A file that is too large for the service is
    hashed in parts, and converted if the rules say so.
    """
    try:
        if is_url(candidate.path):
            return inspect_remote(candidate, judge, rules)
        return _inspect_local(candidate, judge, rules, follow=follow, convert=convert)
    except InspectionFailed as failure:
        return NotSendable(
            candidate.path,
            failure.status or candidate.stat,
            failure.reason,
            failure.detail,
            by_conversion=failure.reason is RejectReason.TOO_LARGE,
        )
    except (FileNotFoundError, NotADirectoryError):
        was_listed = candidate.stat is not None
        detail = (
            "the file was removed before it was read" if was_listed else "there is no such file"
        )
        return NotSendable(candidate.path, candidate.stat, FailReason.VANISHED, detail)
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) and "\0" not in candidate.path:
            raise
        detail = f"cannot be read: {_trouble(error)}"
        return NotSendable(candidate.path, candidate.stat, FailReason.UNREADABLE, detail)
    except MemoryError:
        detail = "no memory left to read it"
        return NotSendable(candidate.path, candidate.stat, FailReason.CHECK_FAILED, detail)


def pictures_of(paths: Sequence[str], *, follow: bool = False) -> list[bool]:
    """Which files without a known extension are to be judged.

    True for those that start like a picture, and for those that cannot be read.
    """
    if paths and is_url(paths[0]):
        return [head is None or _picture(head) is not None for head in heads(paths)]
    return [_may_be_picture(path, follow=follow) for path in paths]


def _may_be_picture(path: str, *, follow: bool) -> bool:
    try:
        return inspect_head(path, follow=follow) is not None
    except OSError as error:
        return error.errno not in _NO_FILE


def inspect_head(path: str | bytes, *, follow: bool = False) -> ImageFormat | None:
    """The image format of a file without a known extension; None if it is not a picture.

    Raises:
        OSError: it cannot be read.
    """
    descriptor = _open(path, follow=follow)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return _picture(os.read(descriptor, HEAD_BYTES))
    finally:
        os.close(descriptor)


def _picture(head: bytes) -> ImageFormat | None:
    kind = sniff(head)
    if kind in (kinds.ICO, kinds.CUR) and not is_icon_directory(head):
        return None
    return kind if kind and kind.group != "document" else None


def _inspect_local(
    candidate: Candidate, judge: Judge, rules: Rules, *, follow: bool, convert: bool
) -> Image | NotSendable:
    descriptor = _opened(candidate, follow=follow)
    try:
        before = os.fstat(descriptor)
        status = Stat.of(before)
        _regular(before)
        check_size(status, rules)
        if status.size < rules.max_bytes:
            data = _read_up_to(descriptor, status.size + 1)
            _unchanged(descriptor, status, len(data))
            return judged(candidate, status, data, judge)
        large = LargeFile(candidate.path, status, descriptor)
        result = large.inspect(judge, rules, convert=convert)
        _unchanged(descriptor, status, status.size)
    finally:
        os.close(descriptor)
    return result


def _regular(info: os.stat_result) -> None:
    if not stat.S_ISREG(info.st_mode):
        status = Stat.of(info)
        raise InspectionFailed(FailReason.UNREADABLE, f"is {_kind_of_file(info.st_mode)}", status)


def _unchanged(descriptor: int, status: Stat, size: int) -> None:
    """Check that the file did not change while it was read."""
    if size != status.size or Stat.of(os.fstat(descriptor)) != status:
        raise InspectionFailed(
            FailReason.CHANGED_WHILE_READING, "the file changed while it was read", status
        )


def _open(path: str | bytes, *, follow: bool) -> int:
    return os.open(path, _FLAGS if follow else _FLAGS | system.O_NOFOLLOW)


def _opened(candidate: Candidate, *, follow: bool) -> int:
    if follow or candidate.named_by_user or candidate.root is None:
        return _open(candidate.path, follow=follow or candidate.named_by_user)
    return _open_below(candidate.root, candidate.path)


def _open_below(root: str, path: str) -> int:
    """Open a file below a root folder by folder, without following links.

    A folder may have been replaced by a link since it was found.
    """
    *folders, name = path[len(root) :].lstrip("/").split("/")
    folder = os.open(root, _FOLDER)
    try:
        for part in folders:
            inner = os.open(part, _FOLDER | system.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(name, _FLAGS | system.O_NOFOLLOW, dir_fd=folder)
    finally:
        os.close(folder)


def _read_up_to(descriptor: int, size: int) -> bytes:
    """Read from the start; usually one system call."""
    data = os.read(descriptor, size)
    while len(data) < size and (more := os.read(descriptor, size - len(data))):
        data += more
    return data


def _trouble(error: OSError | ValueError) -> str:
    if isinstance(error, ValueError):
        return f"a file name cannot contain a NUL byte ({error})"
    if error.errno == errno.ELOOP:
        return "it is a symbolic link, and links are not followed (see --follow-symlinks)"
    return error.strerror or str(error)


def _kind_of_file(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder, not a file"
    return "a pipe, socket or device, not a regular file"
