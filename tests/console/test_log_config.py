from __future__ import annotations

import io
import json
import logging
import os
import re
import stat
import sys

import pytest

from batchscan.console.log_config import configure
from batchscan.console.terminal import print_error
from batchscan.errors import UsageError
from batchscan.settings import Output, Secret

log = logging.getLogger("batchscan.somewhere")
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_same_warning_is_logged_once(capsys, tmp_path):
    path = tmp_path / "scan.log"
    configure(Output(log_file=str(path)))
    for _ in range(3):
        log.warning("a worry about %s", "x")
        log.warning("a worry about %s", "y")
    assert capsys.readouterr().err.count("a worry about") == 2
    assert path.read_text().count("a worry about") == 2


def boom(secret: str) -> None:
    raise ValueError(secret)


def test_stderr_gets_warnings_with_a_stamp(capsys):
    configure(Output())
    log.info("a step")
    log.warning("a worry")
    assert re.fullmatch(rf"{STAMP} warning a worry\n", capsys.readouterr().err)


def test_verbose_shows_every_step_of_ours_but_not_of_libraries(capsys):
    configure(Output(verbose=True))
    log.debug("a step")
    logging.getLogger("PIL").debug("a chunk")
    assert "a step" in (said := capsys.readouterr().err)
    assert "a chunk" not in said


def test_a_quiet_run_logs_nothing_on_stderr_but_all_in_its_file(capsys, tmp_path):
    path = tmp_path / "scan.log"
    configure(Output(quiet=True, log_file=str(path)))
    log.info("a step")
    log.error("an error")
    assert capsys.readouterr().err == ""
    assert len(path.read_text().splitlines()) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_log_file_is_appended_to(tmp_path):
    path = tmp_path / "scan.log"
    path.write_text("before\n")
    configure(Output(log_file=str(path)))
    log.info("after")
    assert re.fullmatch(rf"before\n{STAMP} info after\n", path.read_text())


def test_a_log_file_that_cannot_be_opened_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"log file .*: cannot be opened: Is a directory"):
        configure(Output(log_file=str(tmp_path)))


def test_text_lines_hold_nothing_that_steers_a_terminal(capsys):
    configure(Output())
    log.warning("name: %s", "a\x1b[2J\nb\u202e")
    assert capsys.readouterr().err.endswith(" name: a\\x1b[2J\\nb\\u202e\n")


def test_json_lines_are_one_object_each_with_a_traceback_inside(capsys):
    configure(Output(log_format="json"))
    try:
        boom("boom\x1b")
    except ValueError:
        log.exception("it happened")
    line = capsys.readouterr().err
    assert line.isascii()
    assert "\x1b" not in line
    found = json.loads(line)
    assert (found["level"], found["logger"], found["message"]) == (
        "error",
        "batchscan.somewhere",
        "it happened",
    )
    assert "ValueError: boom" in found["exception"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_keys_and_tokens_are_hidden_even_in_tracebacks(capsys, form):
    configure(Output(log_format=form), [Secret("s3cr3t"), None])
    log.warning("key s3cr3t, Authorization: Bearer abc.def, {'access_token': 'ghi'}")
    try:
        boom("s3cr3t")
    except ValueError:
        log.exception("boom")
    said = capsys.readouterr().err
    for secret in ("s3cr3t", "abc.def", "ghi"):
        assert secret not in said
    assert "Bearer ***" in said


def test_on_a_terminal_a_line_has_the_clock_only(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    configure(Output())
    log.warning("a worry")
    assert re.fullmatch(r"\d\d:\d\d:\d\d warning a worry\n", terminal.getvalue())


def test_a_line_that_nobody_reads_any_more_is_no_trouble(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    configure(Output())
    terminal.close()
    log.warning("a worry")


def test_without_stderr_log_lines_go_to_the_file_only(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "stderr", None)
    configure(Output(log_file=str(tmp_path / "log")))
    log.warning("a worry")
    assert "a worry" in (tmp_path / "log").read_text()


@pytest.fixture
def to_journal(tmp_path, monkeypatch):
    """Gives stderr as systemd gives it to a service, and then what was written there."""
    with open(tmp_path / "journal", "w+") as stream:

        def begin():
            status = os.fstat(stream.fileno())
            monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
            monkeypatch.setattr(sys, "stderr", stream)
            return (tmp_path / "journal").read_text

        yield begin


def test_the_journal_learns_how_urgent_each_line_is_and_stamps_it_itself(to_journal):
    journal = to_journal()
    configure(Output(verbose=True))
    log.debug("a step")
    log.info("one\nline")
    try:
        boom("boom")
    except ValueError:
        log.exception("it happened")
    debug, info, *error = journal().splitlines()
    assert (debug, info) == ("<7>debug a step", "<6>info one\\nline")
    assert error[0] == "<3>error it happened"
    assert all(line.startswith("<3>") for line in error)


def test_json_lines_in_the_journal_are_one_object_each_behind_their_urgency(to_journal):
    journal = to_journal()
    configure(Output(log_format="json"))
    log.warning("a worry")
    line = journal()
    assert line.startswith("<4>{")
    assert json.loads(line[3:])["level"] == "warning"


def test_what_ends_a_command_is_an_error_in_the_journal_advice_and_all(to_journal):
    journal = to_journal()
    print_error("it broke", "mend it")
    assert journal() == "<3>batchscan: it broke\n<3>  mend it\n"


def test_a_stream_that_the_journal_does_not_read_has_no_prefixes(monkeypatch, capsys):
    monkeypatch.setenv("JOURNAL_STREAM", "1:1")
    configure(Output())
    log.warning("a worry")
    print_error("it broke")
    assert "<" not in capsys.readouterr().err
