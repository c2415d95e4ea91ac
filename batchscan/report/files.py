"""Where a run's files stand: its folder, the whole report, and the link to the newest run."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Container, Iterator
from datetime import UTC, datetime
from itertools import count

from batchscan.private_files import make_private, warn_once
from batchscan.report.schema import Report, encode
from batchscan.whole import make_folder, make_folders, storage, write_whole

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
    with storage(runs):
        make_folders(os.path.join(os.getcwd(), runs))
        run_id = next(name for name in free if make_folder(os.path.join(runs, name)))
    return run_id, os.path.join(runs, run_id)


def write_report(folder: str, report: Report) -> str:
    """Write `report.json` into a run's folder, whole or not at all; give its path.

    Raises:
        StorageError: the disk would not take it.
    """
    path = os.path.join(folder, REPORT)
    write_whole(path, [encode(report)])
    return path


def point_latest(output: str, run_id: str) -> None:
    """Let `latest` lead to this run; at every moment it leads to one.

    On a file system that has no links there is none.

    Raises:
        StorageError: the output folder cannot be written.
    """
    link = os.path.join(output, LATEST)
    with storage(link), tempfile.TemporaryDirectory(dir=output, prefix=".latest-") as aside:
        make_private(aside, 0o700)
        fresh = os.path.join(aside, LATEST)
        try:
            os.symlink(os.path.join(RUNS, run_id), fresh)
        except OSError as error:
            if error.errno in _NO_LINKS:
                warn_once(f"the output folder's file system has no links, so there is no {LATEST}")
                return
            raise
        os.replace(fresh, link)


def _names(moment: str) -> Iterator[str]:
    yield moment
    yield from (f"{moment}-{number}" for number in count(2))
