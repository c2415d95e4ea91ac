"""`batchscan review` as a process of its own."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from batchscan.cli import main
from tests.support.review import usual


@pytest.fixture
def start(tmp_path):
    """Start it, with the address that it prints."""
    running = []

    def starting(*words: str) -> tuple[subprocess.Popen[str], str]:
        kept = {"PATH", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"}
        environment = {name: os.environ[name] for name in kept & os.environ.keys()}
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "batchscan",
                "review",
                "--state",
                str(tmp_path / "state"),
                *words,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**environment, "HOME": str(tmp_path)},
        )
        running.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline()

    yield starting
    for process in running:
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_one_line_serves_and_ends_with_a_signal(start, tmp_path, how):
    usual(tmp_path)
    process, line = start()  # without --no-open: it is no terminal, so nothing is opened
    url = urlsplit(line.strip())
    assert (url.scheme, url.hostname, url.path) == ("http", "127.0.0.1", "/")
    assert len(url.query) > len("token=") + 40
    connection = HTTPConnection("127.0.0.1", url.port or 0, timeout=120)
    connection.request("GET", f"/?{url.query}")
    answer = connection.getresponse()
    cookie = (answer.read(), answer.getheader("Set-Cookie") or "")[1].partition(";")[0]
    connection.request("GET", "/queue", headers={"Cookie": cookie})
    assert b"8</b> of 8 left" in connection.getresponse().read()
    process.send_signal(how)  # with the connection still open
    out, said = process.communicate(timeout=120)
    connection.close()
    assert (process.returncode, out) == (0, "")
    assert said == "batchscan: open this address in your browser; SIGINT or SIGTERM ends it\n"
    assert not (tmp_path / "state" / "ledger.sqlite3-wal").exists()


def test_without_a_ledger_the_command_exits_9_with_a_message(tmp_path, capsys):
    assert main(["review", "--no-open", "--state", str(tmp_path)]) == 9
    said = capsys.readouterr()
    assert said.out == ""
    assert "there is no ledger" in said.err
    assert "nothing has been scanned with this state folder" in said.err
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_named(tmp_path, capsys):
    usual(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        words = ["review", "--no-open", "--port", str(port), "--state", str(tmp_path / "state")]
        assert main(words) == 2
    said = capsys.readouterr()
    assert (said.out, f"port {port} is already in use" in said.err) == ("", True)


def test_rules_that_cannot_be_read_are_named_before_it_listens(tmp_path, capsys):
    usual(tmp_path)
    rules = tmp_path / "rules.yaml"
    rules.write_text("- domain: [\n")
    words = ["review", "--no-open", "--allow", str(rules), "--state", str(tmp_path / "state")]
    assert main(words) == 2
    assert "rules.yaml" in capsys.readouterr().err


def test_help_names_every_key(capsys):
    assert main(["review", "--help"]) == 0
    said = capsys.readouterr().out
    assert "j ↓ →" in said
    assert "--no-open" in said
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.slow
@pytest.mark.parametrize(("words", "opened"), [((), True), (("--no-open",), False)])
def test_on_a_terminal_it_opens_the_browser_unless_told_not_to(tmp_path, words, opened):
    usual(tmp_path)
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o700)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "batchscan", "review", "--state", str(tmp_path / "state"), *words],
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "BROWSER": str(browser)},
    )
    os.close(theirs)
    line = os.read(ours, 1000).decode()
    until = time.monotonic() + (90 if opened else 1)
    while not (tmp_path / "opened").exists() and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    os.close(ours)
    assert (tmp_path / "opened").exists() == opened
    if opened:
        assert (tmp_path / "opened").read_text().strip() == line.strip()
