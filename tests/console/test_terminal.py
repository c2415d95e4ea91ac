from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from batchscan.console.terminal import colored

EMIT = "from batchscan.console.terminal import print_data"


def python(code, **kwargs):
    return subprocess.run([sys.executable, "-c", code], check=False, timeout=120, **kwargs)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colour_is_for_terminals_only_and_not_where_it_is_not_wanted(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert colored("x", "red", Terminal()) == "\x1b[31mx\x1b[0m"
    assert colored("x", "red", io.StringIO()) == "x"
    assert colored("x", "red", None) == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert colored("x", "red", Terminal()) == "x"


def test_a_reader_that_has_gone_away_is_no_trouble():
    reading, writing = os.pipe()
    os.close(reading)
    done = python(
        f"{EMIT}; [print_data('x' * 100_000) for _ in range(3)]",
        stdout=writing,
        stderr=subprocess.PIPE,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_behind_stdout_is_a_storage_error():
    code = (
        f"{EMIT}; from batchscan.console.exit import run_guarded; import sys\n"
        "sys.exit(run_guarded(lambda: print_data('x')))"
    )
    with open("/dev/full", "wb") as full:
        done = python(code, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 9
    assert b"stdout cannot be written" in done.stderr


def test_closed_streams_are_no_trouble():
    code = f"{EMIT}, print_status; print_data('x'); print_status('y')"
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -c "{code}" >&- 2>&-'], check=False, timeout=120
    )
    assert done.returncode == 0


def test_what_the_encoding_lacks_is_written_as_an_escape():
    done = python(
        f"{EMIT}; print_data('ä→')",
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
    )
    assert done.stdout == b"\xe4\\u2192\n"


def test_bytes_are_written_as_they_are():
    done = python(f"{EMIT}; print_data(b'\\xff\\n')", stdout=subprocess.PIPE)
    assert done.stdout == b"\xff\n"
