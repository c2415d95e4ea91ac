"""The table of `batchscan/docs/performance.md`, between two markers, from what was measured.

A run with `--page` writes the figures of the rows that it measured; others stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from tests.benchmarks.measure import Row

PAGE: Final = Path(__file__).parents[2] / "batchscan" / "docs" / "performance.md"
BEGIN: Final = "<!-- figures -->\n"
END: Final = "<!-- end of figures -->\n"

Name: TypeAlias = tuple[str, str]
"""What a row is about, and what that is compared with, as benchmarks say it at full scale."""

_SCAN: Final = "CPU of scanning 2,000 JPEGs of 200 kB, --check fast"
_UNCHANGED: Final = "wall time of a run over 200,000 unchanged files"
_REPORT: Final = "report and results of 1,000,000 pictures, from the ledger"
_HTML: Final = "report.html of 10,000 matched pictures"

ROWS: Final[tuple[Name, ...]] = (
    (_SCAN, "bare aiohttp loop"),
    (_SCAN, "requests in a thread pool"),
    ("wall time of the same", "curl --parallel"),
    (_UNCHANGED, "rclone copy, nothing to do"),
    (_UNCHANGED, "find -printf"),
    ("judging 60 JPEGs of 12 megapixels, --check full", "Pillow load() on one core"),
    ("converting HEIC, 12 megapixels", "CPU"),
    ("converting TIFF, 12 megapixels", "CPU"),
    ("converting AVIF, 12 megapixels", "CPU"),
    ("taking the metadata out of a JPEG", "CPU a megabyte"),
    ("CPU of the driver a picture", "a scan on this machine"),
    ("batchscan --help", "more than python -c pass"),
    (_REPORT, "time"),
    (_REPORT, "peak memory"),
    (_HTML, "size"),
    (_HTML, "Chromium, load"),
    ("peak memory over 10,000 files, one folder", "nothing to send"),
    ("peak memory over 1,000,000 files, one folder", "nothing to send"),
    ("10,000 keys in one prefix of a bucket", "unchanged: peak memory"),
    ("1,000,000 keys in one prefix of a bucket", "unchanged: peak memory"),
)
"""The rows that the page shows, in its order."""


def read_table(text: str) -> dict[Name, str]:
    """The figures of the page's table.

    Raises:
        ValueError: one of the markers is missing.
    """
    lines = text[text.index(BEGIN) + len(BEGIN) : text.index(END)].splitlines()[2:]
    cells = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return {(what, beside): figure for what, beside, figure in cells}


def with_table(text: str, figures: Mapping[Name, str]) -> str:
    """The page with these figures in its table; a row without one is left out."""
    head = "| what | compared with | measured |\n|---|---|---|\n"
    rows = (f"| {name[0]} | {name[1]} | {figures[name]} |\n" for name in ROWS if name in figures)
    start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    return text[:start] + head + "".join(rows) + text[end:]


def update(measured: Iterable[Row], page: Path = PAGE) -> list[Name]:
    """Write what was measured into the page; the rows that were not are returned."""
    new = {(row.what, row.beside): row.measured for row in measured}
    text = page.read_text(encoding="utf-8")
    page.write_text(with_table(text, {**read_table(text), **new}), encoding="utf-8")
    return [name for name in ROWS if name not in new]
