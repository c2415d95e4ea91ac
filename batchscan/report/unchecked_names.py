"""Pictures without an answer grouped by reason, for all formats for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from batchscan.report.schema import Report, UncheckedFile
from batchscan.report.wording import amount, explained


class UncheckedGroup(NamedTuple):
    """The pictures without an answer for one reason."""

    reason: str
    number: int  # all of them
    words: str  # "12 over 20 MB"
    files: list[UncheckedFile]  # those that are named
    more: int  # that are not


def by_reason(report: Report, most: int | None = None) -> list[UncheckedGroup]:
    """The groups, the largest first.

    Args:
        report: which names some of each.
        most: files that are named of each; None for all that the report has.
    """
    counts = report.unchecked or report.reasons
    groups = []
    for reason, number in sorted(counts.items(), key=lambda item: -item[1]):
        files = [file for file in report.unchecked_files if file.reason == reason][:most]
        more = max(0, number - len(files))
        groups.append(UncheckedGroup(reason, number, explained(number, reason), files, more))
    return groups


def rest(report: Report, more: int) -> Iterator[str]:
    """A sentence about where to find the names that are not shown; none if all are."""
    if not more:
        return
    if report.unchecked_table is not None:
        yield f"{more:,} more: {report.unchecked_table}"
    elif not report.unchecked_files:
        yield f"{amount(more, 'file')}, not named in this report"
    else:
        yield f"{more:,} more: batchscan export"
