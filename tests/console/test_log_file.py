from __future__ import annotations

import logging
import os
import resource
import stat
import subprocess
import sys

import pytest

from batchscan.console.log_file import KEPT, LogFile
from tests.support.processes import WRITES_NOTHING_BESIDE


@pytest.fixture
def logging_to(tmp_path):
    """A logger that writes to a file of at most 100 bytes or so."""
    handlers: list[LogFile] = []
    log = logging.getLogger("test of a log file")

    def opened(path=tmp_path / "log", largest: int = 100) -> logging.Logger:
        handlers.append(LogFile(str(path), largest))
        log.handlers, log.propagate = [handlers[-1]], False
        return log

    yield opened
    for handler in handlers:
        handler.close()


def test_a_large_log_file_is_rotated_and_the_oldest_is_deleted(logging_to, tmp_path):
    log = logging_to()
    for number in range(12):
        log.warning("%d %s", number, "x" * 60)
    names = ["log", *(f"log.{number}" for number in range(1, KEPT + 1))]

    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    numbers = [int((tmp_path / name).read_text().split()[0]) for name in names]
    assert numbers == [11, 10, 9, 8, 7, 6]


def test_every_new_file_is_its_owners_alone_whatever_the_umask(logging_to, tmp_path):
    before = os.umask(0o000)
    try:
        log = logging_to()
        for _ in range(3):
            log.warning("x" * 60)
    finally:
        os.umask(before)

    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_file_that_was_there_keeps_its_mode(logging_to, tmp_path):
    (tmp_path / "log").write_text("before\n")
    (tmp_path / "log").chmod(0o640)
    logging_to().warning("after")

    assert (tmp_path / "log").read_text() == "before\nafter\n"
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o640


def test_a_log_file_rotated_by_another_process_is_reopened(logging_to, tmp_path):
    log = logging_to()
    log.warning("one")
    (tmp_path / "log").rename(tmp_path / "log.1")
    log.warning("two")

    assert (tmp_path / "log.1").read_text() == "one\n"
    assert (tmp_path / "log").read_text() == "two\n"


def test_a_device_is_never_rotated(logging_to):
    log = logging_to("/dev/null")
    for _ in range(3):
        log.warning("x" * 200)

    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_log_file_that_cannot_be_rotated_is_appended_to(logging_to, tmp_path, caplog):
    log = logging_to()
    for number in range(1, KEPT + 1):
        (tmp_path / f"log.{number}" / "in the way").mkdir(parents=True)
    for _ in range(3):
        log.warning("x" * 60)

    assert len((tmp_path / "log").read_text().splitlines()) == 3
    assert caplog.text.count("cannot be renamed") == 1


FULL = """
import logging, sys
from batchscan.console.log_config import configure
from batchscan.settings import Output
configure(Output(log_file=sys.argv[1]))
log = logging.getLogger("batchscan.test")
for _ in range(50):
    log.info("x" * 200)
"""


def test_a_full_disk_is_reported_once_and_raises_nothing(tmp_path):
    path = tmp_path / "log"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env=WRITES_NOTHING_BESIDE,
    )  # fmt: skip

    assert done.returncode == 0
    assert done.stderr.count("\n") == 1
    assert f"{path} cannot be written: log lines are lost" in done.stderr
    assert path.stat().st_size == 4096
