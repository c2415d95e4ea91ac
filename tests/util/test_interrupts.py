from __future__ import annotations

import sqlite3
import sys

import pytest

from batchscan.console.exit import run_guarded
from batchscan.util import interrupts


def test_an_error_of_a_callback_that_nobody_interrupted_stays_an_error(monkeypatch, capsys):
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    interrupts.note_swallowed()
    connection = sqlite3.connect(":memory:")
    callback = type("Callback", (), {"__module__": "batchscan.x", "__call__": lambda *_: 1 / 0})()
    connection.set_authorizer(callback)

    def run() -> int:
        with pytest.raises(sqlite3.DatabaseError):
            connection.execute("SELECT 1")
        return 3

    assert run_guarded(run) == 3
    connection.close()
    sqlite3.enable_callback_tracebacks(False)
    assert capsys.readouterr().err == ""
