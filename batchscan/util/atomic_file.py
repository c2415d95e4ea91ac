"""Writing files atomically, and making private folders."""

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

TEMP_PREFIX = ".new-"  # of the names of incomplete files


def write_atomic(
    path: str,
    parts: Iterable[bytes],
    *,
    like: os.stat_result | None = None,
    mode: int = 0o600,
    check: Callable[[str], None] | None = None,
    advice: str = CHOOSE,
) -> None:
    """Write a file atomically, replacing an existing one.

    What is no file, as /dev/null, a pipe or /dev/stdout, is written into and never replaced.

    Args:
        path: of the file.
        parts: its content.
        like: stat of a file whose owner and mode it gets.
        mode: without `like`; private by default.
        check: called with the temporary path of the finished file; if it raises, nothing changes.
        advice: for errors whose cause suggests no other one.

    Raises:
        StorageError: it cannot be written.
    """
    folder = os.path.dirname(path) or os.curdir
    with storage_errors(path, advice):
        if _is_stream(path):
            with open(path, "wb") as stream:
                stream.writelines(parts)
            return
        descriptor, staged = tempfile.mkstemp(dir=folder, prefix=TEMP_PREFIX)
        try:
            with open(descriptor, "wb") as file:
                _set_owner_and_mode(descriptor, like, mode)
                file.writelines(parts)
                file.flush()
                sync(descriptor)
            if check is not None:
                check(staged)
            os.replace(staged, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(staged)
            raise
        _sync_folder(folder)


def _is_stream(path: str) -> bool:
    """Whether a path leads to a device, a pipe or an open descriptor."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    folder = os.path.realpath(os.path.dirname(path))
    of_descriptors = folder in {"/dev", "/dev/fd"} or folder.startswith("/proc/")
    return of_descriptors or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


@contextmanager
def create_file(path: str, advice: str = CHOOSE) -> Iterator[IO[bytes]]:
    """Write a private file that appears when the block ends without an exception.

    Raises:
        UsageError: the path exists already, or its folder does not.
        StorageError: it cannot be written.
    """
    with staged_path(path, advice) as staged, open(staged, "wb") as file:
        yield file


@contextmanager
def staged_path(path: str, advice: str = CHOOSE, *, replace: bool = False) -> Iterator[str]:
    """Create an empty private file, and rename it to `path` when the block ends without exception.

    Args:
        path: the final path.
        advice: for errors whose cause suggests no other one.
        replace: whether to replace an existing file.

    Raises:
        UsageError: the path exists already, or its folder does not.
        StorageError: it cannot be written.
    """
    folder = os.path.dirname(path) or os.curdir
    if os.path.lexists(path) and not replace:
        raise _taken(path)
    if not os.path.isdir(folder):
        raise UsageError(f"'{printable(folder)}' is not a directory", advice="make it first")
    with storage_errors(path, advice):
        descriptor, staged = tempfile.mkstemp(dir=folder, prefix=TEMP_PREFIX)
        try:
            _set_owner_and_mode(descriptor, None)
            yield staged
            sync(descriptor)
            if replace:
                os.replace(staged, path)
            else:
                _name(staged, path)
        finally:
            os.close(descriptor)
            with suppress(OSError):  # missing if it was renamed
                os.unlink(staged)
        _sync_folder(folder)


def identity(path: str) -> str:
    """Identify the current state of a file, by inode and stat.

    Raises:
        StorageError: it cannot be read.
    """
    with storage_errors(path):
        return _identity(os.lstat(path))


def link_atomic(source: str, path: str, expected: str) -> bool:
    """Hard-link `path` to a file whose `identity` is still the expected one; returns success.

    Raises:
        StorageError: the folder cannot be synced.
    """
    try:
        os.link(source, path, follow_symlinks=False)
    except FileExistsError:  # the operation is repeated after a rollback
        pass
    except (OSError, ValueError):  # gone, on another disk, without links; or no path (NUL)
        return False
    file_stat = os.lstat(path)
    if _identity(file_stat) != expected or not stat.S_ISREG(file_stat.st_mode):
        return False  # the caller writes a new file
    with storage_errors(path):
        _sync_folder(os.path.dirname(path) or os.curdir)
    return True


def make_folder(path: str) -> bool:
    """Make a private folder unless the name exists; returns whether it was made."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return False
    make_private(path, 0o700)
    return True


def make_folders(path: str) -> None:
    """Make a folder and its missing parents, all private."""
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for folder in reversed(missing):
        make_folder(folder)


@contextmanager
def storage_errors(path: str, advice: str = CHOOSE) -> Iterator[None]:
    """Turn OSError in the block into an error about the path.

    Raises:
        StorageError: the system refused an operation.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"cannot write '{printable(path)}': {error.strerror}",
            advice=advice_for(error, advice),
        ) from error


def _identity(file_stat: os.stat_result) -> str:
    return f"{file_stat.st_ino}:{file_stat.st_size}:{file_stat.st_mtime_ns}"


def _name(staged: str, path: str) -> None:
    """Give a file its final name, unless that exists."""
    try:
        os.link(staged, path)
    except FileExistsError:
        raise _taken(path) from None
    except OSError:  # a file system without links
        if os.path.lexists(path):
            raise _taken(path) from None
        os.rename(staged, path)


def _taken(path: str) -> UsageError:
    return UsageError(
        f"'{printable(path)}' already exists", advice="name another file, or move that one away"
    )


def _set_owner_and_mode(descriptor: int, like: os.stat_result | None, mode: int = 0o600) -> None:
    if like is not None and hasattr(os, "fchown"):
        with suppress(PermissionError):  # only the superuser may change the owner
            os.fchown(descriptor, like.st_uid, like.st_gid)
    make_private(descriptor, stat.S_IMODE(like.st_mode) if like else mode)


def _sync_folder(folder: str) -> None:
    """Sync a rename to disk, if the file system supports that."""
    if not system.OPENS_FOLDERS:
        return
    descriptor = os.open(folder, os.O_RDONLY | system.O_DIRECTORY)
    try:
        with suppress(OSError):  # some network file systems cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
