"""Whole scans against the emulator, as in the tests of the run."""

from __future__ import annotations

from tests.run.conftest import bench, bench_with

__all__ = ["bench", "bench_with"]
