"""The command line as a process of its own, without the developer's settings."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.forks import run_command

Running = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment with a home of its own and nothing of ours."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == "PATH" or name.startswith("COVERAGE_")
    }
    return {**kept, "HOME": str(tmp_path), "NO_COLOR": "1"}


@pytest.fixture
def run(tmp_path: Path, environ: dict[str, str]) -> Running:
    """Run `python -m batchscan` with some words."""

    def running(*words: str | bytes, env=None, **kwargs) -> subprocess.CompletedProcess[str]:
        environment = {**environ, **(env or {})}
        strings = tuple(word for word in words if isinstance(word, str))
        if len(strings) == len(words) and not kwargs:
            return run_command(strings, environment, str(tmp_path))
        return subprocess.run(
            [sys.executable, "-m", "batchscan", *words],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            **kwargs,
        )

    return running


@pytest.fixture(autouse=True)
def _logging_as_it_was():
    """Commands configure logging for their process; here that is the tests' own."""
    root, ours = logging.getLogger(), logging.getLogger("batchscan")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    yield
    for handler in [handler for handler in root.handlers if handler not in handlers]:
        root.removeHandler(handler)
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
