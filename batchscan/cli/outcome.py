"""What a finished scan prints: data on stdout, trouble on stderr, nothing at all with `-q`."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterator

from batchscan.cli.terminal import complain, emit, width_of
from batchscan.errors import BatchscanError
from batchscan.names import DeferReason, ExitReason, FailReason, RejectReason
from batchscan.report import Report, encode, summary
from batchscan.report.schema import Files
from batchscan.report.text import WIDTH
from batchscan.settings.model import Output

MOST_FOLDERS = 3  # unreadable ones that a quiet run names


def tell(output: Output, report: Report, folder: str, error: BatchscanError | None) -> None:
    """Print how a run ended.

    Args:
        output: what the user wants to hear.
        report: the run's report.
        folder: where the run's files are.
        error: what ended the run early, where something did.

    Raises:
        StorageError: stdout cannot be written.
    """
    if output.json:
        emit(encode(report))
    elif not output.quiet:
        emit(summary(report, folder, width_of(sys.stdout, WIDTH)))
    if output.quiet:
        for line in quiet_lines(report, folder):
            complain(line)
    if error is not None and not _shown(output):
        complain(str(error), error.advice)


def _shown(output: Output) -> bool:
    """Whether the summary says it on the same terminal as stderr is."""
    streams = (sys.stdout, sys.stderr)
    terminals = all(stream is not None and stream.isatty() for stream in streams)
    return terminals and not (output.json or output.quiet)


def _unreadable(files: Files) -> str:
    names = files.unreadable_folder_names[:MOST_FOLDERS]
    more = files.unreadable_folders - len(names)
    said = [*names, f"{more:,} more"] if more else names
    named = f": {', '.join(said)}" if names else ""
    return f"{files.unreadable_folders:,} folders could not be read{named}"


def quiet_lines(report: Report, folder: str) -> Iterator[str]:
    """The few lines that a quiet run has to say; none when all is well."""
    code = report.run.exit_code
    if rejected := reasons(report, {*RejectReason}):
        yield f"newly rejected: {rejected}; see {folder}/results.jsonl"
    for each in report.alerts.troubles if report.alerts else ():
        yield f"{each.target} was not told of all matches: {each.trouble}"
    if not code:
        return
    files, parts = report.files, [f"ended with {code} ({report.run.exit_reason})"]
    if missing := files.failed + files.deferred:
        why = reasons(report, {*FailReason, *DeferReason})
        parts.append(f"{missing:,} of {files.seen:,} pictures have no answer: {why}")
    if files.unreadable_folders:
        parts.append(_unreadable(files))
    if files.empty_roots:
        parts.append(f"empty, though pictures were there before: {', '.join(files.empty_roots)}")
    if report.run.exit_reason == ExitReason.MATCHES:
        parts.extend(_alarms(report))
    yield f"{'; '.join(parts)}; see {folder}/report.json"


def _alarms(report: Report) -> Iterator[str]:
    """What `--fail-on` may have been about."""
    found, files = report.matches, report.files
    if found.total:
        yield (
            f"{found.images_with_matches:,} pictures have matches: {found.full:,} full, "
            f"{found.partial:,} partial, {(found.new or 0) + (found.returned or 0):,} new or returned"
        )
    rejected = {why: number for why, number in report.unchecked.items() if why in {*RejectReason}}
    if rejected:
        said = ", ".join(f"{number:,} {why}" for why, number in rejected.items())
        yield f"{sum(rejected.values()):,} of {files.seen:,} pictures are not checked: {said}"


def reasons(report: Report, kinds: Container[str]) -> str:
    """The counts by reason of some kinds: `2 corrupt, 1 too_large`."""
    found = report.reasons.items()
    return ", ".join(f"{number:,} {reason}" for reason, number in found if reason in kinds)
