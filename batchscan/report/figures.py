"""The figures that every format shows, by their dotted path in `report.json`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from batchscan.report.schema import Report

_SECTIONS = ("files", "reasons", "unchecked", "credits", "matches", "run_matches")


def figures(report: Report) -> dict[str, int]:
    """Every figure of a report, as in `{"matches.total": 120}`; what is not known has none."""
    return {
        f"{section}.{name}": value
        for section in _SECTIONS
        for name, value in _items(getattr(report, section))
        if isinstance(value, int)
    }


def _items(section: msgspec.Struct | dict[str, int]) -> Iterator[tuple[str, Any]]:
    fields = section if isinstance(section, dict) else msgspec.structs.asdict(section)
    yield from fields.items()
