"""The command started without stdin, stdout or stderr, as some supervisors do."""

from __future__ import annotations

import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from tests.support.pictures import png, tree

CLOSED = ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"]


@pytest.fixture
def shell(tmp_path, environ):
    def running(words: str, redirections: str) -> subprocess.CompletedProcess[str]:
        command = f"{shlex.quote(sys.executable)} -m batchscan {words} {redirections}"
        return subprocess.run(
            ["bash", "-c", command], env=environ, cwd=tmp_path, capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip

    return running


@pytest.mark.slow
@pytest.mark.parametrize("closed", CLOSED)
def test_without_standard_streams_the_exit_code_is_as_with_them(shell, tmp_path, closed):
    tree(tmp_path / "images", {"a.png": png(), "b.png": b""})
    assert shell("-n images", closed).returncode == 0
    assert shell("-n nowhere", closed).returncode == 2
    assert shell("report", closed).returncode == 9
    assert shell("--version", closed).returncode == 0
    assert (tmp_path / "batchscan-output" / "runs").is_dir()


@pytest.mark.slow
@pytest.mark.parametrize("closed", CLOSED)
def test_without_standard_streams_a_scan_keeps_its_ledger_sound(shell, tmp_path, closed):
    demo = shell("demo small", closed)
    assert demo.returncode == 0, demo.stderr
    with closing(sqlite3.connect(tmp_path / "small" / "state" / "ledger.sqlite3")) as ledger:
        assert ledger.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert ledger.execute("SELECT count(*) FROM answers").fetchone()[0] > 20


def test_a_list_from_a_closed_stdin_is_a_clear_mistake(shell):
    done = shell("-n --files-from -", "<&-")
    assert done.returncode == 2
    assert "the list cannot be read from stdin, which is closed" in done.stderr


@pytest.mark.parametrize("words", ["--help", "evidence --help", "help", "--version"])
def test_help_on_a_full_disk_says_so(shell, words):
    done = shell(words, "> /dev/full")
    assert done.returncode == 9
    assert done.stderr == "batchscan: stdout cannot be written: No space left on device\n"
