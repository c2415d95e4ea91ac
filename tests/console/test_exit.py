from __future__ import annotations

import errno

import click
import pytest

from batchscan.console.exit import exit_status_of, run_guarded
from batchscan.enums import ExitReason
from batchscan.errors import AuthRefused, Interrupted, LockedError, StorageError, UsageError


def raising(error: BaseException):
    def run() -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (AuthRefused("x"), 4),
        (LockedError("x"), 7),
        (StorageError("x"), 9),
        (Interrupted(15), 143),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (click.UsageError("x"), 2),
        (click.exceptions.Exit(0), 0),
        (ZeroDivisionError("x"), 1),
    ],
)
def test_whatever_is_raised_has_one_exit_code(error, code, capsys):
    assert run_guarded(raising(error)) == code
    assert capsys.readouterr().out == ""


def lacking(error: BaseException) -> BaseException:
    """A bug, as it seems, that lack of memory is behind."""
    seeming = ValueError("unexpected")
    seeming.__cause__ = error
    return seeming


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("can't start new thread"),
        ImportError("x.so: failed to map segment from shared object: Cannot allocate memory"),
        ExceptionGroup("several", [ZeroDivisionError(), MemoryError()]),
        lacking(MemoryError()),
    ],
    ids=repr,
)
def test_lack_of_memory_is_no_bug(error, capsys, caplog):
    assert run_guarded(raising(error)) == 9
    assert exit_status_of(error) == (9, ExitReason.STORAGE)
    said = capsys.readouterr().err
    assert "not enough memory" in said
    assert "nothing that was paid for is lost" in said
    assert "bug" not in said
    assert "Traceback" not in caplog.text


def test_an_error_is_printed_with_its_advice_and_nothing_that_steers_the_terminal(capsys):
    run_guarded(raising(UsageError("no \x1b[31m\u202efolder\n", advice="make\x07 one")))
    assert capsys.readouterr().err == ("batchscan: no \\x1b[31m\\u202efolder\\n\n  make\\x07 one\n")


def test_an_error_without_a_message_prints_nothing(capsys):
    assert run_guarded(raising(LockedError("", advice="wait"))) == 7
    assert capsys.readouterr().err == ""


def test_an_unexpected_exception_is_shown_with_its_traceback_as_a_bug(capsys, caplog):
    assert run_guarded(raising(ZeroDivisionError("boom"))) == 1
    assert "this is a bug in batchscan" in capsys.readouterr().err
    assert "boom" in caplog.text
    assert "Traceback" in caplog.text
