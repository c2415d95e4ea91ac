"""The formats of `batchscan report`; one more is a module in `report/` and an entry here.

They are named by strings, and imported when one is asked for: `--help` does without.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Format(NamedTuple):
    """A format, which is the name of its option too."""

    help: str
    module: str  # in `batchscan.report`; its `render(report, pictures)` gives the file in parts
    streamed: bool = False  # whether it goes once over the matches of each picture


FORMATS: Final[dict[str, Format]] = {
    "html": Format("one file for any browser", "html_page"),
    "csv": Format("one row for each match and page", "csv_table", streamed=True),
    "junit": Format("for CI: pictures with matches on the worklist are failures", "junit"),
    "markdown": Format("a summary for a ticket", "markdown"),
}
