"""Sentences about which pictures are checked and which are not, for all formats for people."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping

from batchscan.enums import DeferReason, ExitReason, FailReason, RejectReason
from batchscan.report.schema import Files, Report
from batchscan.report.wording import (
    amount,
    explained,
    is_or_are,
    most_first,
    sentence,
    shortened,
    was_or_were,
)
from batchscan.util.escaping import printable

_REASONS = (*RejectReason, *FailReason, *DeferReason)
_MAX_FOLDERS = 5  # that are named
_FOLDER_WIDTH = 60  # columns of a folder's name


def coverage(report: Report, where: str = "") -> Iterator[str]:
    """How many pictures are checked, and why others are not: in every run and every format.

    Args:
        report: the report to describe.
        where: the run's folder, so that the list of unchecked pictures is named by its whole path.
    """
    yield from checked(report)
    yield from counted_files(report, where)


def checked(report: Report) -> Iterator[str]:
    """The first sentence of every summary; a dry run's says what would be done."""
    if not report.files.seen:
        yield f"{nothing_seen(report)}."
    elif report.run.dry_run:
        first = _checked_sentence(report, already=" already", yet=" yet")
        yield f"Dry run: {first[0].lower()}{first[1:]}"
    else:
        yield _checked_sentence(report)


def nothing_seen(report: Report) -> str:
    """That a run saw no pictures, which says nothing of the folder where it was stopped before."""
    run = report.run
    stopped = run.partial and run.exit_reason is not ExitReason.PARTIAL
    return "Ended before any picture was found" if stopped else "No pictures were found"


def _checked_sentence(report: Report, already: str = "", yet: str = "") -> str:
    files = report.files
    unchecked = _number_unchecked(files)
    reasons = _reasons(report.reasons if files.unchecked is None else report.unchecked, _REASONS)
    if not unchecked and files.unchecked is None:  # an old report: some may be rejected long ago
        return f"{amount(files.seen, 'picture')} {was_or_were(files.seen)} seen."
    if files.seen == 1:
        how = f"not checked{yet}: {reasons}" if unchecked else f"checked{already}"
        return f"The one picture is {how}."
    if not unchecked:
        return f"All {files.seen:,} pictures are checked{already}."
    if unchecked == files.seen:
        return f"None of {files.seen:,} pictures is checked{yet}: {reasons}."
    number = files.seen - unchecked
    return (
        f"{number:,} of {files.seen:,} pictures {is_or_are(number)} checked{already}. "
        f"{unchecked:,} {is_or_are(unchecked)} not: {reasons}."
    )


def _number_unchecked(files: Files) -> int:
    return files.unchecked or files.rejected + files.failed + files.deferred


def counted_files(report: Report, where: str) -> Iterator[str]:
    """Name the table of unchecked pictures, and count the files by status."""
    files = report.files
    if report.unchecked_table is not None and files.seen and _number_unchecked(files):
        yield f"  Each one with its reason: {printable(os.path.join(where, report.unchecked_table))}"
    states = ("scanned", "reused", "covered", "unchanged", "rejected")
    counts = [(getattr(files, state), state) for state in states]
    yield from sentence("  ", [f"{number:,} {state}" for number, state in counts if number])


def _named(root: str) -> str:
    return shortened(printable(root), _FOLDER_WIDTH)


def losses(report: Report, named: Callable[[str], str] = _named) -> Iterator[str]:
    """Report what could not be scanned, or was excluded; `named` formats a folder's name."""
    files = report.files
    if files.unreadable_folders:
        folders = amount(files.unreadable_folders, "folder")
        names = _some_folders(files, named)
        yield (
            f"Not scanned: {folders} could not be read{names}; pictures in there are not counted."
        )
    for root in files.empty_roots:
        yield f"Not scanned: {named(root)} is empty or missing, but had pictures before."
    left_out = [
        (files.ignored, "ignored (not pictures, or links)"),
        (files.excluded, "excluded by patterns"),
    ]
    yield from sentence("Left out: ", [f"{number:,} {why}" for number, why in left_out if number])


def _some_folders(files: Files, named: Callable[[str], str]) -> str:
    names = files.unreadable_folder_names[:_MAX_FOLDERS]
    more = files.unreadable_folders - len(names)
    text = ", ".join(named(name) for name in names)
    return f" ({text}{f' and {more:,} more' if more else ''})" if names else ""


def _reasons(counts: Mapping[str, int], kinds: Iterable[str]) -> str:
    return ", ".join(explained(number, reason) for number, reason in most_first(counts, kinds))
