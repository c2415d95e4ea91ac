"""Where a run's files stand: its folder, the whole report, and the link to the newest run."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import count

from batchscan.errors import StorageError
from batchscan.escape import printable
from batchscan.report.schema import Report, encode

RUNS = "runs"
LATEST = "latest"
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS}  # FAT, some network file systems
REPORT = "report.json"
RESULTS = "results.jsonl"


def run_name(now: float) -> str:
    """What a run that starts `now` (seconds since 1970) is called, if it is the only one."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")


def make_run_folder(output: str, now: float, taken: Container[str] = ()) -> tuple[str, str]:
    """Make a folder for a run that starts `now`, of a name not `taken`; give its id and path.

    Raises:
        StorageError: the output folder cannot be written.
    """
    free = (name for name in _names(run_name(now)) if name not in taken)
    runs = os.path.join(output, RUNS)
    with _storage(runs):
        _make_folders(os.path.join(os.getcwd(), runs))
        run_id = next(name for name in free if _made(os.path.join(runs, name)))
    return run_id, os.path.join(runs, run_id)


def write_report(folder: str, report: Report) -> str:
    """Write `report.json` into a run's folder, whole or not at all; give its path.

    Raises:
        StorageError: the disk would not take it.
    """
    path = os.path.join(folder, REPORT)
    write_whole(path, [encode(report)])
    return path


def write_whole(path: str, parts: Iterable[bytes]) -> None:
    """Write a private file, whole or not at all, in the place of one that may be there.

    Raises:
        StorageError: the disk would not take it.
    """
    folder = os.path.dirname(path) or os.curdir
    with _storage(path):
        _replace(path, folder, parts)
        _sync_folder(folder)


def point_latest(output: str, run_id: str) -> None:
    """Let `latest` lead to this run; at every moment it leads to one.

    On a file system that has no links there is none.

    Raises:
        StorageError: the output folder cannot be written.
    """
    link = os.path.join(output, LATEST)
    with _storage(link), tempfile.TemporaryDirectory(dir=output, prefix=".latest-") as aside:
        os.chmod(aside, 0o700)  # whatever the umask
        fresh = os.path.join(aside, LATEST)
        try:
            os.symlink(os.path.join(RUNS, run_id), fresh)
        except OSError as error:
            if error.errno in _NO_LINKS:
                return
            raise
        os.replace(fresh, link)


def _names(moment: str) -> Iterator[str]:
    yield moment
    yield from (f"{moment}-{number}" for number in count(2))


def _made(path: str) -> bool:
    """Make a private folder, unless the name is taken."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return False
    os.chmod(path, 0o700)  # whatever the umask
    return True


def _replace(path: str, folder: str, parts: Iterable[bytes]) -> None:
    descriptor, aside = tempfile.mkstemp(dir=folder, prefix=".new-")
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            file.writelines(parts)
            file.flush()
            os.fsync(descriptor)
        os.replace(aside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(aside)
        raise


def _sync_folder(folder: str) -> None:
    """Bring a rename to the disk, where the file system can."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # some network file systems cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_folders(path: str) -> None:
    """Make a folder and those above it that are missing, all private."""
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for folder in reversed(missing):
        _made(folder)


@contextmanager
def _storage(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"cannot write '{printable(path)}': {error.strerror}",
            advice="choose another folder with --output, or free some space",
        ) from error
