"""Reading `results.jsonl`."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from batchscan.results import ResultLine


def read_lines(path: str) -> Iterator[ResultLine]:
    """Its results; a last line without a line feed was cut off by a kill, and is left out."""
    with open(path, "rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield msgspec.json.decode(line, type=ResultLine)
