"""The folder of a run, its `report.json`, and the link to the newest run."""

from __future__ import annotations

import errno
import logging
import os
import tempfile
from collections.abc import Container, Iterator
from datetime import UTC, datetime
from itertools import count

from batchscan.enums import ExitReason
from batchscan.report.schema import Report, encode
from batchscan.util.atomic_file import make_folder, make_folders, storage_errors, write_atomic
from batchscan.util.escaping import printable
from batchscan.util.private_files import make_private, warn_once

RUNS = "runs"
LATEST = "latest"
LATEST_DRY_RUN = "latest-dry-run"
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS}  # FAT, some network file systems
_FINISHED = (ExitReason.OK, ExitReason.MATCHES, ExitReason.PARTIAL)
REPORT = "report.json"
RESULTS = "results.jsonl"
log = logging.getLogger(__name__)


def run_name(now: float) -> str:
    """The name of a run that starts `now` (seconds since 1970), without a suffix."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")


def make_run_folder(output: str, now: float, taken: Container[str] = ()) -> tuple[str, str]:
    """Create a folder for a run that starts `now`, with a name not in `taken`.

    Returns:
        The run's id and the folder's path.

    Raises:
        StorageError: the output folder cannot be written.
    """
    free = (name for name in _names(run_name(now)) if name not in taken)
    runs = os.path.join(output, RUNS)
    with storage_errors(runs):
        make_folders(os.path.join(os.getcwd(), runs))
        run_id = next(name for name in free if make_folder(os.path.join(runs, name)))
    return run_id, os.path.join(runs, run_id)


def write_report(folder: str, report: Report) -> str:
    """Write `report.json` into a run's folder atomically; returns its path.

    Raises:
        StorageError: it cannot be written.
    """
    path = os.path.join(folder, REPORT)
    write_atomic(path, [encode(report)])
    return path


def is_meaningful(report: Report) -> bool:
    """Whether a run has a meaningful report, so that `latest` may point to it.

    A dry run has none, and neither has a run that was stopped before any picture was checked, by a
    wrong key or an outage, or that saw none because a disk was not mounted or a folder could not
    be read. `ledger.runs.last` uses the same rule.
    """
    run, files = report.run, report.files
    if run.dry_run or (run.exit_reason == ExitReason.PARTIAL and not files.seen):
        return False
    within_limit = files.unchanged if run.exit_reason == ExitReason.LIMIT else 0
    return (
        run.exit_reason in _FINISHED
        or files.scanned + files.reused + files.covered + within_limit > 0
    )


def point_latest(output: str, report: Report) -> None:
    """Point `latest` to a run with a meaningful report, and `latest-dry-run` to a dry run.

    The link is replaced atomically. If it cannot be made, this only logs a warning: the run's files
    are complete.
    """
    if not (report.run.dry_run or is_meaningful(report)):
        return
    name = LATEST_DRY_RUN if report.run.dry_run else LATEST
    link = os.path.join(output, name)
    try:
        _link(output, name, os.path.join(RUNS, report.run.id))
    except OSError as error:
        if error.errno in _NO_LINKS:
            warn_once(f"the output folder's file system has no links, so there is no {name}")
        elif os.path.isdir(link) and not os.path.islink(link):
            log.warning(
                "%s is a folder, so it does not lead to this run; move it away", printable(link)
            )
        else:
            log.warning("%s does not lead to this run: %s", printable(link), error.strerror)


def _link(output: str, name: str, target: str) -> None:
    with tempfile.TemporaryDirectory(dir=output, prefix=".latest-") as staging:
        make_private(staging, 0o700)
        fresh = os.path.join(staging, name)
        os.symlink(target, fresh)
        os.replace(fresh, os.path.join(output, name))


def _names(moment: str) -> Iterator[str]:
    yield moment
    yield from (f"{moment}-{number}" for number in count(2))
