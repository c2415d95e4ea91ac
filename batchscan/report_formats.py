"""The formats of `batchscan report`. To add one, add a module to `report/` and an entry here.

Modules are named by strings and imported when a format is chosen, to keep `--help` fast.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Format(NamedTuple):
    """A format; its option has the same name."""

    help: str
    module: str  # in `batchscan.report`; its `render(report, pictures)` gives the file in parts
    streamed: bool = False  # whether it reads the matches of each picture only once


FORMATS: Final[dict[str, Format]] = {
    "html": Format("one file for any browser", "html_page"),
    "csv": Format("one row for each match and page", "csv_table", streamed=True),
    "junit": Format("for CI: a picture with matches on the worklist is a failure", "junit"),
    "markdown": Format("a summary for a ticket", "markdown"),
}
