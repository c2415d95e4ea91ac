"""Where a run's files are: its folder, the whole report, and the link to the newest run."""

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
    """What a run that starts `now` (seconds since 1970) is called, if it is the only one."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")


def make_run_folder(output: str, now: float, taken: Container[str] = ()) -> tuple[str, str]:
    """Make a folder for a run that starts `now`, of a name not `taken`; give its id and path.

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
    """Write `report.json` into a run's folder, whole or not at all; give its path.

    Raises:
        StorageError: the disk would not take it.
    """
    path = os.path.join(folder, REPORT)
    write_atomic(path, [encode(report)])
    return path


def speaks(report: Report) -> bool:
    """Whether a run has something to say of pictures, so that `latest` may lead to it.

    A dry run has not, and nor has one that was stopped before it had any picture checked: by a
    wrong key, or by an outage at its start. `ledger.runs.last` goes by the same rule.
    """
    run, files = report.run, report.files
    if run.dry_run:
        return False
    within_limit = files.unchanged if run.exit_reason == ExitReason.LIMIT else 0
    return (
        run.exit_reason in _FINISHED
        or files.scanned + files.reused + files.covered + within_limit > 0
    )


def point_latest(output: str, report: Report) -> None:
    """Let `latest` lead to a run that has something to say, and `latest-dry-run` to a dry run.

    At every moment it leads to one. Where it cannot be made, that is a warning: the run's files
    are whole, and its report has its exit code.
    """
    if not (report.run.dry_run or speaks(report)):
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
    with tempfile.TemporaryDirectory(dir=output, prefix=".latest-") as aside:
        make_private(aside, 0o700)
        fresh = os.path.join(aside, name)
        os.symlink(target, fresh)
        os.replace(fresh, os.path.join(output, name))


def _names(moment: str) -> Iterator[str]:
    yield moment
    yield from (f"{moment}-{number}" for number in count(2))
