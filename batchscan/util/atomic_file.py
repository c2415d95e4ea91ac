"""Files that are written whole or not at all, and folders that are their owner's alone."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO

from batchscan.errors import StorageError, UsageError
from batchscan.util import system
from batchscan.util.escaping import printable
from batchscan.util.private_files import CHOOSE, advice_for, make_private, sync

TEMP_PREFIX = ".new-"  # begins the name of what is not whole yet


def write_atomic(
    path: str,
    parts: Iterable[bytes],
    *,
    like: os.stat_result | None = None,
    mode: int = 0o600,
    check: Callable[[str], None] | None = None,
    advice: str = CHOOSE,
) -> None:
    """Write a file, whole or not at all, in the place of one that may be there.

    Args:
        path: where it shall be.
        parts: what it holds.
        like: whose owner and mode it gets.
        mode: what it gets without one to be like; by default it is private.
        check: looks at the finished file while it still has another name, given to it; what it
            raises leaves everything as it was.
        advice: what else to do about trouble than what its cause suggests.

    Raises:
        StorageError: the disk would not take it.
    """
    folder = os.path.dirname(path) or os.curdir
    with storage_errors(path, advice):
        descriptor, aside = tempfile.mkstemp(dir=folder, prefix=TEMP_PREFIX)
        try:
            with open(descriptor, "wb") as file:
                _set_owner_and_mode(descriptor, like, mode)
                file.writelines(parts)
                file.flush()
                sync(descriptor)
            if check is not None:
                check(aside)
            os.replace(aside, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(aside)
            raise
        _sync_folder(folder)


@contextmanager
def create_file(path: str, advice: str = CHOOSE) -> Iterator[IO[bytes]]:
    """Let a private file be written that is there whole when the block ends well, or not at all.

    Raises:
        UsageError: something is there already, or no folder for it; nothing of it was touched.
        StorageError: the disk would not take it.
    """
    with staged_path(path, advice) as aside, open(aside, "wb") as file:
        yield file


@contextmanager
def staged_path(path: str, advice: str = CHOOSE, *, replace: bool = False) -> Iterator[str]:
    """Let others write a private file, empty at first, by the name that it has until it is whole.

    Args:
        path: where it shall be.
        advice: what else to do about trouble than what its cause suggests.
        replace: whether it takes the place of one that is there.

    Raises:
        UsageError: something is there already, or no folder for it; nothing of it was touched.
        StorageError: the disk would not take it.
    """
    folder = os.path.dirname(path) or os.curdir
    if os.path.lexists(path) and not replace:
        raise _taken(path)
    if not os.path.isdir(folder):
        raise UsageError(f"'{printable(folder)}' is not a directory", advice="make it first")
    with storage_errors(path, advice):
        descriptor, aside = tempfile.mkstemp(dir=folder, prefix=TEMP_PREFIX)
        try:
            _set_owner_and_mode(descriptor, None)
            yield aside
            sync(descriptor)
            if replace:
                os.replace(aside, path)
            else:
                _name(aside, path)
        finally:
            os.close(descriptor)
            with suppress(OSError):  # where it was renamed, it is not there any more
                os.unlink(aside)
        _sync_folder(folder)


def identity(path: str) -> str:
    """Tell a file, as it is now, from any other and from itself after a change.

    Raises:
        StorageError: it cannot be looked at.
    """
    with storage_errors(path):
        return _identity(os.lstat(path))


def link_atomic(source: str, path: str, expected: str) -> bool:
    """Make `path` another name of a file that is still as `identity` had it; whether it could be.

    Raises:
        StorageError: the folder cannot be brought to the disk.
    """
    try:
        os.link(source, path, follow_symlinks=False)
    except FileExistsError:  # of an attempt that the ledger made twice
        pass
    except OSError:  # it is gone, on another disk, or this one has no links
        return False
    found = os.lstat(path)
    if _identity(found) != expected or not stat.S_ISREG(found.st_mode):
        return False  # whoever writes another one puts it in its place
    with storage_errors(path):
        _sync_folder(os.path.dirname(path) or os.curdir)
    return True


def make_folder(path: str) -> bool:
    """Make a private folder, unless the name is taken; tell whether it was made."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return False
    make_private(path, 0o700)
    return True


def make_folders(path: str) -> None:
    """Make a folder and those above it that are missing, all private."""
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for folder in reversed(missing):
        make_folder(folder)


@contextmanager
def storage_errors(path: str, advice: str = CHOOSE) -> Iterator[None]:
    """Report trouble with writing a path as such.

    Raises:
        StorageError: the system refused something.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"cannot write '{printable(path)}': {error.strerror}",
            advice=advice_for(error, advice),
        ) from error


def _identity(found: os.stat_result) -> str:
    return f"{found.st_ino}:{found.st_size}:{found.st_mtime_ns}"


def _name(aside: str, path: str) -> None:
    """Give a file its name, if nothing else took that meanwhile."""
    try:
        os.link(aside, path)
    except FileExistsError:
        raise _taken(path) from None
    except OSError:  # a file system without links
        if os.path.lexists(path):
            raise _taken(path) from None
        os.rename(aside, path)


def _taken(path: str) -> UsageError:
    return UsageError(
        f"'{printable(path)}' already exists", advice="name another file, or move that one away"
    )


def _set_owner_and_mode(descriptor: int, like: os.stat_result | None, mode: int = 0o600) -> None:
    if like is not None and hasattr(os, "fchown"):
        with suppress(PermissionError):  # only the superuser writes files of others
            os.fchown(descriptor, like.st_uid, like.st_gid)
    make_private(descriptor, stat.S_IMODE(like.st_mode) if like else mode)


def _sync_folder(folder: str) -> None:
    """Bring a rename to the disk, where the file system can."""
    if not system.OPENS_FOLDERS:
        return
    descriptor = os.open(folder, os.O_RDONLY | system.O_DIRECTORY)
    try:
        with suppress(OSError):  # some network file systems cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
