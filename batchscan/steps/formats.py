"""The formats of a report that name every matched picture, straight from the ledger."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from batchscan.digest import FoundPicture
from batchscan.ledger import Ledger
from batchscan.report import junit, markdown, table
from batchscan.report.schema import Report
from batchscan.whole import write_whole

MATCHES = "matches.csv"
PAGE = "report.html"

Renderer = Callable[[Report, Iterable[FoundPicture]], Iterator[bytes]]
_RENDERERS: dict[str, Renderer] = {
    "csv": table.render,
    "junit": junit.render,
    "markdown": markdown.render,
}


def rendered(name: str, report: Report, ledger: Ledger) -> Iterator[bytes]:
    """A report of the pictures that the ledger was told to see, in one of the formats."""
    return _RENDERERS[name](report, ledger.found.pictures())


def write_formats(folder: str, report: Report, ledger: Ledger) -> list[str]:
    """Write what stands beside report.json in a run's folder; the paths.

    Raises:
        StorageError: the disk would not take it.
    """
    written = []
    for file, name in ((MATCHES, "csv"),):
        path = os.path.join(folder, file)
        write_whole(path, rendered(name, report, ledger))
        written.append(path)
    return written
