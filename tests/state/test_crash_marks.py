from __future__ import annotations

import faulthandler
import os
import subprocess
import sys

import pytest

from batchscan.state.crash_marks import MARKS, CrashMarks, crash_trace

CRASH = """
import os, signal, sys
from pathlib import Path
from batchscan.state.crash_marks import CrashMarks, crash_trace
state = Path(sys.argv[1])
with crash_trace(state):
    marks = CrashMarks(state)
    with marks.checking("/p/harmless.png"):
        pass
    with marks.checking("/p/poison.webp"):
        os.kill(os.getpid(), getattr(signal, sys.argv[2]))
"""


@pytest.mark.parametrize(
    ("signal_name", "suspects"), [("SIGSEGV", {"/p/poison.webp"}), ("SIGKILL", set())]
)
def test_a_file_that_crashed_a_run_is_suspected_once(tmp_path, signal_name, suspects):
    subprocess.run([sys.executable, "-c", CRASH, str(tmp_path), signal_name], check=False)
    marks = CrashMarks(tmp_path)
    assert marks.suspects == suspects
    marks.close()

    again = CrashMarks(tmp_path)
    assert again.suspects == frozenset()
    again.close()


def test_marks_are_written_only_where_they_change(tmp_path):
    CrashMarks(tmp_path).close()
    path = tmp_path / MARKS
    size = path.stat().st_size
    os.utime(path, ns=(1, 1))
    CrashMarks(tmp_path).close()
    assert path.stat().st_mtime_ns == 1

    for other in (0, size, size + 1):  # the second is nothing but a hole
        os.truncate(path, 0)
        os.truncate(path, other)
        CrashMarks(tmp_path).close()
        assert path.stat().st_size == size <= path.stat().st_blocks * 512


def test_tracing_crashes_goes_without_a_state_folder(tmp_path):
    was_enabled = faulthandler.is_enabled()
    with crash_trace(tmp_path / "not there"):
        assert faulthandler.is_enabled() == was_enabled
