"""The formats of a report that name every matched picture, straight from the ledger."""

from __future__ import annotations

import os
from collections.abc import Iterator

from batchscan.ledger import Ledger
from batchscan.report import junit, markdown, table
from batchscan.report.schema import Report
from batchscan.steps.again import ALL
from batchscan.whole import write_whole

MATCHES = "matches.csv"
PAGE = "report.html"


def rendered(name: str, report: Report, ledger: Ledger, now: float) -> Iterator[bytes]:
    """A report of the pictures that the ledger was told to see: html, csv, junit or markdown."""
    pictures = ledger.found.pictures()
    match name:
        case "csv":
            return table.render(report, pictures)
        case "junit":
            return junit.render(report, pictures)
        case "markdown":
            return markdown.render(report, pictures)
        case _:
            from batchscan.report import page  # noqa: PLC0415 - Jinja takes its time

            scope = page.Scope(everything=report.run.id == ALL, again=_again(report))
            return page.render(report, pictures, made_at=now, scope=scope)


def write_formats(folder: str, report: Report, ledger: Ledger, now: float) -> list[str]:
    """Write what stands beside report.json in a run's folder; the paths.

    Raises:
        StorageError: the disk would not take it.
    """
    return [
        write_table(folder, report, ledger, now),
        write_page(folder, report, ledger, now),
    ]


def write_table(folder: str, report: Report, ledger: Ledger, now: float) -> str:
    """Write matches.csv into a run's folder, whole or not at all; give its path.

    Raises:
        StorageError: the disk would not take it.
    """
    path = os.path.join(folder, MATCHES)
    write_whole(path, rendered("csv", report, ledger, now))
    return path


def write_page(folder: str, report: Report, ledger: Ledger, now: float) -> str:
    """Write report.html into a run's folder, whole or not at all; give its path.

    Raises:
        StorageError: the disk would not take it.
    """
    path = os.path.join(folder, PAGE)
    write_whole(path, rendered("html", report, ledger, now))
    return path


def _again(report: Report) -> str:
    which = "--all" if report.run.id == ALL else f"--run {report.run.id}"
    return f"batchscan report {which} --html FILE"
