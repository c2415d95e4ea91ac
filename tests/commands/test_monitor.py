"""Whoever watches from outside hears of every run, however it ends."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from filelock import FileLock
from prometheus_client.parser import text_string_to_metric_families

from batchscan.cli import main
from batchscan.emulator import EmulatorConfig
from batchscan.emulator.fault_actions import AnswerInstead
from batchscan.emulator.faults import Fault
from batchscan.emulator.threaded import serve_in_thread
from batchscan.settings import Rate
from tests.support.pictures import png, tree

UUID = "0f1e2d3c-the-secret-uuid"


class Heard:
    """A server in the manner of healthchecks.io, and what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.status = 200
        heard = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                heard.told.append((self.path.removeprefix(f"/{UUID}/"), text))
                self.send_response(heard.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/{UUID}"

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.told]


@pytest.fixture
def heard():
    server = Heard()
    thread = threading.Thread(target=server.server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.server.shutdown()
    thread.join()
    server.server.server_close()


@pytest.fixture
def emulated(tmp_path, monkeypatch, heard):
    """A scan of three pictures with an account at an emulator: gives its words for some faults."""
    running = []

    def opened(*faults: Fault) -> list[str]:
        config = EmulatorConfig(search=False, rates=(Rate(1000, 1.0),), faults=faults)
        running.append(serve_in_thread(config))
        url = running[-1].__enter__().url
        for name in ("COPYLEAKS_API_URL", "COPYLEAKS_IDENTITY_URL"):
            monkeypatch.setenv(name, url)
        settings = f"alerts: {{ping_url: '{heard.url}'}}\napi: {{attempts: 1}}\n"
        tree(tmp_path, {f"images/p{n}.png": png(16, 16, n) for n in range(3)})
        tree(tmp_path, {"b.yaml": settings.encode()})
        return ["-q", "-c", "b.yaml", "-o", "out", "--state", "state", "images"]

    monkeypatch.setenv("COPYLEAKS_EMAIL", "me@example.com")
    monkeypatch.setenv("COPYLEAKS_API_KEY", "key")
    monkeypatch.chdir(tmp_path)
    yield opened
    for each in running:
        each.__exit__(None, None, None)


def figures(path: str = "b.prom") -> dict[str, float]:
    families = text_string_to_metric_families(Path(path).read_text())
    return {family.name: family.samples[0].value for family in families}


def test_the_start_and_the_end_are_reported_with_the_summary(emulated, heard):
    assert main([*emulated(), "--metrics-file", "b.prom"]) == 0

    assert heard.paths == ["start", "0"]
    assert heard.told[0][1] == ""
    assert heard.told[1][1].startswith("batchscan ended with 0 (ok).\nAll 3 pictures are checked.")
    assert figures()["batchscan_run_exit_code"] == 0
    assert 0 <= figures()["batchscan_oldest_answer_age_seconds"] < 60


@pytest.mark.parametrize(
    ("faults", "more", "code", "said"),
    [
        (
            (Fault(route="check", nth=2, action=AnswerInstead(status=400)),),
            (),
            3,
            "1 is not: 1 server error",
        ),
        ((Fault(route="login", action=AnswerInstead(status=401)),), (), 4, "Ended early"),
        ((), ("--limit", "1"), 5, "Ended early"),
        ((), ("nowhere",), 2, "nowhere"),
        ((), ("-o", "b.yaml"), 9, "b.yaml"),
    ],
)
def test_a_run_that_ends_badly_is_reported_with_its_code_and_why(
    emulated, heard, faults, more, code, said
):
    words = emulated(*faults)
    assert main([*words, *more, "--metrics-file", "b.prom"]) == code

    assert heard.paths[-1] == str(code)
    assert said in heard.told[-1][1]
    assert figures()["batchscan_run_exit_code"] == code


def test_an_end_that_comes_before_the_settings_are_known_cannot_be_reported(emulated, heard):
    assert main([*emulated(), "--rate", "0/s"]) == 2
    assert heard.told == []


@pytest.mark.parametrize(("if_locked", "paths"), [("fail", ["7"]), ("skip", [])])
def test_a_run_that_finds_the_lock_held_is_reported_unless_it_may_skip(
    emulated, heard, tmp_path, if_locked, paths
):
    words = emulated()
    (tmp_path / "state").mkdir(mode=0o700)
    with FileLock(tmp_path / "state" / "lock"):
        assert main([*words, "--if-locked", if_locked, "--metrics-file", "b.prom"]) == 7

    assert heard.paths == paths
    assert Path("b.prom").exists() is bool(paths)


def test_an_unexpected_exception_is_reported_with_exit_code_1(emulated, heard, monkeypatch):
    def broken(*args):
        raise RuntimeError

    words = emulated()
    monkeypatch.setattr("batchscan.commands.scan.print_result", broken)
    assert main([*words, "--metrics-file", "b.prom"]) == 1

    assert heard.paths == ["start", "1"]
    assert figures()["batchscan_run_exit_code"] == 1
    assert (
        figures()["batchscan_images"] == 0
    )  # unchanged ones: what is known of the run stands there


@pytest.mark.slow
def test_a_summary_that_cannot_be_printed_is_reported_as_the_process_ends(emulated, heard):
    words = [word for word in emulated() if word != "-q"]
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "batchscan", *words], stdout=full, check=False)

    assert done.returncode == 9
    assert heard.paths[-1] == "9"
    assert os.strerror(errno.ENOSPC) in heard.told[-1][1]


def test_a_dry_run_sends_no_heartbeat_and_writes_no_metrics(emulated, heard):
    assert main([*emulated(), "-n", "--metrics-file", "b.prom"]) == 0

    assert heard.told == []
    assert not Path("b.prom").exists()


def test_a_signal_is_reported(emulated, heard):
    words = [*emulated(), "--rate", "1/5s", "--metrics-file", "b.prom"]
    process = subprocess.Popen([sys.executable, "-m", "batchscan", *words])
    while "start" not in heard.paths:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)

    assert process.wait(20) == 143
    assert heard.paths[-1] == "143"
    assert figures()["batchscan_run_exit_code"] == 143


def test_a_heartbeat_that_fails_is_one_warning_without_its_address_and_changes_no_code(
    emulated, heard, capfd, tmp_path
):
    heard.status = 404
    words = [word for word in emulated() if word != "-q"]
    assert main([*words, "-v", "--log-file", "log", "--metrics-file", "nowhere/b.prom"]) == 0
    said = capfd.readouterr()

    assert heard.paths == ["start", "start", "0", "0"]
    assert said.err.count("the heartbeat could not be sent (start): HTTP 404") == 1
    assert said.err.count("could not be sent") == 1
    assert said.err.count("no metrics: cannot write") == 1
    assert UUID not in said.out + said.err
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.name != "b.yaml":
            assert UUID.encode() not in path.read_bytes()


def test_no_other_command_shows_the_address(emulated, capfd):
    emulated()
    assert main(["doctor", "-c", "b.yaml", "--state", "state", "-o", "out"]) == 0
    said = capfd.readouterr()

    assert "alerts.ping_url" in said.out
    assert UUID not in said.out + said.err


@pytest.mark.parametrize(
    "url", ["http://example.com/{}", "ftp://example.com/{}", "https://me:{}@x"]
)
def test_an_address_that_it_must_not_be_sent_to_is_refused_and_not_shown(emulated, url, capfd):
    words = emulated()
    Path("b.yaml").write_text(f"alerts: {{ping_url: '{url.format(UUID)}'}}\n")
    assert main(words) == 2
    said = capfd.readouterr()

    assert "alerts.ping_url: found" in said.err
    assert UUID not in said.err
