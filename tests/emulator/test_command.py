from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support import pictures
from tests.support.forks import run_command


@pytest.fixture
def environ(tmp_path):
    kept = {k: v for k, v in os.environ.items() if k == "PATH" or k.startswith("COVERAGE_")}
    return {**kept, "HOME": str(tmp_path)}


@contextmanager
def running(environ, folder, *words) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The command as a process, and the environment that it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "batchscan", "emulator", *words],
        env=environ,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        lines = "".join(process.stdout.readline() for _ in range(4))
        yield process, dict(re.findall(r"^export (\w+)=(\S+)$", lines, re.MULTILINE))
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_four_exports_and_a_signal_ends_it_quietly(environ, tmp_path, signum):
    with running(environ, tmp_path) as (process, exports):
        assert list(exports) == [
            "COPYLEAKS_EMAIL",
            "COPYLEAKS_API_KEY",
            "COPYLEAKS_API_URL",
            "COPYLEAKS_IDENTITY_URL",
        ]
        assert exports["COPYLEAKS_API_URL"] == exports["COPYLEAKS_IDENTITY_URL"]
        process.send_signal(signum)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (0, "")
    assert err.count("\n") == 1


def test_a_scan_against_it_finds_the_copies(environ, tmp_path):
    pictures.tree(tmp_path, {"web/copy.png": pictures.png(), "images/mine.png": pictures.png()})
    with running(environ, tmp_path, "--web", "web") as (_, exports):
        words = ["./images", "--json", "--fail-on", "full"]
        done = run_command(words, {**environ, **exports}, str(tmp_path))
    assert done.returncode == 10, done.stderr


def test_it_finds_nothing_where_it_is_not_to_search(environ, tmp_path):
    pictures.tree(tmp_path, {"web/copy.png": pictures.png(), "images/mine.png": pictures.png()})
    with running(environ, tmp_path, "--web", "web", "--no-search") as (_, exports):
        words = ["./images", "--json", "--fail-on", "any"]
        done = run_command(words, {**environ, **exports}, str(tmp_path))
    assert done.returncode == 0, done.stderr


def test_its_options_are_followed(environ, tmp_path):
    (tmp_path / "faults.yaml").write_text("- {nth: 1, action: {type: answer, status: 418}}")
    words = ["--no-search", "--port", "0", "--rate", "5/s", "--rate", "9/m", "--credits", "7"]
    words += ["--duplicate", "conflict", "--latency", "10ms", "--faults", "faults.yaml"]
    words += ["-o", "out", "--state", "state"]
    with running(environ, tmp_path, *words) as (_, exports):
        request = urllib.request.Request(f"{exports['COPYLEAKS_API_URL']}/v3/scans/credits")
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        caught.value.close()
        assert caught.value.code == 418
        with urllib.request.urlopen(f"{exports['COPYLEAKS_API_URL']}/_emulator/stats") as answer:
            assert b'"balance":7' in answer.read()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rate", "0/s"], "allows nothing"),
        (["--rate", "often"], "10/s or 900/15m"),
        (["--latency", "3"], "as in 15m"),
        (["--web", "none"], "none: not a folder"),
        (["--faults", "none.yaml"], "cannot be read"),
        (["--duplicate", "maybe"], "maybe"),
        (["-c", "none.yaml"], "none.yaml"),
    ],
)
def test_a_mistake_is_a_usage_error(environ, tmp_path, words, said):
    done = run_command(["emulator", *words], environ, str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_port_that_is_taken_is_a_usage_error(environ, tmp_path):
    with running(environ, tmp_path) as (_, exports):
        port = exports["COPYLEAKS_API_URL"].rsplit(":", 1)[1]
        done = run_command(["emulator", "--port", port], environ, str(tmp_path))
    assert done.returncode == 2
    assert "is already in use" in done.stderr
