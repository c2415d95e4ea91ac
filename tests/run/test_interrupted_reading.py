"""Ctrl+C inside a callback of SQLite, in commands as processes of their own."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE

import pytest

from tests.support.processes import Process

# Interrupts itself in the chosen call of SQLite's callback, as the terminal would.
PROGRAM = """
import os, signal, sys
from batchscan.ledger import connection
real, calls, nth = connection._only_reading, 0, int(sys.argv.pop(1))
def interrupted(*words):
    global calls
    calls += 1
    if calls == nth:
        os.kill(os.getpid(), signal.SIGINT)
    return real(*words)
connection._only_reading = interrupted
from batchscan.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("command", "nth"),
    [("report", 1), ("report", 200), ("export", 50), ("stats", 90), ("takedown", 20)],
)
async def test_an_interrupt_inside_sqlite_is_an_interrupt(bench, command, nth):
    bench.pictures(1)
    await bench.scan()
    folder = bench.folder
    to = ("--to", str(folder / "drafts")) if command == "takedown" else ()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-c", PROGRAM, str(nth), command, *to,
        "-o", str(folder / "output"), "--state", str(folder / "state"),
        env=Process(bench).environment, cwd="/", stdin=DEVNULL, stdout=PIPE, stderr=PIPE,
    )  # fmt: skip
    _, err = await process.communicate()
    assert (process.returncode, err.decode()) == (130, "")
