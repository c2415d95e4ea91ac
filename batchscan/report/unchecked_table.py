"""`unchecked.csv`: a row for each picture without an answer, and for each folder not read.

The same dialect as `matches.csv`. Status and reason are those of `results.jsonl`; `unchanged` files
were rejected by an earlier run, and folders have neither.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping

from batchscan.report.schema import UncheckedFile
from batchscan.util.escaping import BYTE_ORDER_MARK, path_fields, spreadsheet_cell

COLUMNS = ("path", "path_b64", "status", "reason", "detail", "bytes")
UNREADABLE_FOLDER = "unreadable_folder"


def render(files: Iterable[UncheckedFile], folders: Mapping[str, str]) -> Iterator[bytes]:
    """Write the table.

    Args:
        files: those without an answer.
        folders: that could not be read, and why.
    """
    line = io.StringIO()
    writer = csv.writer(line)
    yield BYTE_ORDER_MARK
    for row in _rows(files, folders):
        writer.writerow(row)
        yield line.getvalue().encode()
        line.seek(0)
        line.truncate()


def _rows(files: Iterable[UncheckedFile], folders: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    yield COLUMNS
    for folder, why in folders.items():
        path, path_b64 = path_fields(folder)
        yield (*map(spreadsheet_cell, (path, path_b64, "", UNREADABLE_FOLDER, why)), "")
    for file in files:
        words = (file.path, file.path_b64, file.status.value, file.reason, file.detail)
        size = "" if file.bytes is None else str(file.bytes)
        yield (*map(spreadsheet_cell, words), size)
