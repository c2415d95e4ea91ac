from __future__ import annotations

import asyncio
import io
import sys

from batchscan.commands.scan import show_progress
from batchscan.progress import ProgressState
from batchscan.settings import Output


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def watch(output: Output) -> int:
    looks = 0
    looked = asyncio.Event()

    def state() -> ProgressState:
        nonlocal looks
        looks += 1
        looked.set()
        return ProgressState(found=9, done=looks, waiting="429 pause 12 s")

    async with show_progress(state, output):
        await looked.wait()
    return looks


async def test_on_a_terminal_the_bar_shows_what_is_waited_for(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert await watch(Output())
    assert "429 pause 12 s" in terminal.getvalue()


async def test_elsewhere_a_short_run_shows_nothing(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    assert await watch(Output())
    assert stream.getvalue() == ""


async def test_no_looks_go_on_after_the_end(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    before = asyncio.all_tasks()
    await watch(Output(progress="none"))
    assert asyncio.all_tasks() == before


async def test_without_stderr_nothing_is_shown(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    async with show_progress(ProgressState, Output()):
        pass
