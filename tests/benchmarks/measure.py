"""Whole processes, measured from outside: wall and CPU seconds, peak memory; always in pairs."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True)
class Usage:
    """What one process cost."""

    wall: float  # seconds
    cpu: float  # seconds, user and system, with its waited-for children
    peak: float  # MiB of the largest process
    written: float = 0.0  # MiB, to disks


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    what: str
    beside: str
    figure: float
    reach: float
    unit: str = "x"
    at_least: bool = False  # whether more is better
    note: str = ""

    @property
    def reached(self) -> bool:
        return self.figure >= self.reach if self.at_least else self.figure <= self.reach

    @property
    def measured(self) -> str:
        """The figure as the documentation shows it."""
        unit = "×" if self.unit == "x" else self.unit
        note = f" ({self.note})" if self.note else ""
        return f"{self.figure:.3g} {unit}{note}"

    def __str__(self) -> str:
        bound = "at least" if self.at_least else "at most"
        verdict = "" if self.reached else "  NOT REACHED"
        figure = f"{self.figure:.3g} {self.unit}"
        return f"{self.what:<58} {self.beside:<34} {figure:>11}  {bound} {self.reach:g}{verdict}  {self.note}"


def run(
    words: Sequence[str], env: Mapping[str, str] | None = None, expect: tuple[int, ...] = (0,)
) -> Usage:
    """Run a command to its end.

    Raises:
        RuntimeError: it ended with another code than expected.
    """
    before = time.perf_counter()
    process = subprocess.Popen(
        words,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - before
    process.returncode = code = os.waitstatus_to_exitcode(status)
    if code not in expect:
        raise RuntimeError(f"{words} ended with {code}: {said.decode(errors='replace')[-2000:]}")
    cpu, written = used.ru_utime + used.ru_stime, used.ru_oublock * 512 / MIB
    return Usage(wall, cpu, used.ru_maxrss * 1024 / MIB, written)


def in_turn(*commands: Callable[[], Usage], runs: int = 3) -> list[list[Usage]]:
    """Run commands in turn, after one round that does not count; a list of usages for each."""
    rounds = [[command() for command in commands] for _ in range(runs + 1)][1:]
    return [list(usages) for usages in zip(*rounds, strict=True)]


def ratio(ours: Sequence[Usage], theirs: Sequence[Usage], what: Callable[[Usage], float]) -> float:
    """The median of the ratios, pair by pair: it holds while the machine's speed drifts."""
    pairs = zip(ours, theirs, strict=True)
    return statistics.median(what(a) / what(b) for a, b in pairs)


def median(usages: Sequence[Usage], what: Callable[[Usage], float]) -> float:
    return statistics.median(map(what, usages))


def cpu(usage: Usage) -> float:
    return usage.cpu


def wall(usage: Usage) -> float:
    return usage.wall


def written(usage: Usage) -> float:
    return usage.written
