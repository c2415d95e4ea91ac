"""Printing what `doctor` and `state check` find."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from batchscan.console.terminal import colored, fitted, print_data
from batchscan.util.escaping import printable

if TYPE_CHECKING:
    from batchscan.commands.checks import Finding

_COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}


def print_finding(finding: Finding, indent: str = "") -> None:
    """Print a finding on stdout, wrapped at the width of a terminal."""
    print_data("\n".join(_lines(finding, indent)))


def _lines(finding: Finding, indent: str) -> Iterator[str]:
    level = f"{indent}{finding.level:<7}"
    # Colours have no width: they are added when the line is wrapped.
    plain = fitted(f"{level}  {finding.what}: {printable(finding.detail)}", sys.stdout)
    yield f"{colored(level, _COLOURS[finding.level], sys.stdout)}{plain[len(level) :]}"
    if finding.advice:
        yield fitted(f"{indent}         {printable(finding.advice)}", sys.stdout)
