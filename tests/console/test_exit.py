from __future__ import annotations

import click
import pytest

from batchscan.console.exit import run_guarded
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


def test_an_error_is_printed_with_its_advice_and_nothing_that_steers_the_terminal(capsys):
    run_guarded(raising(UsageError("no \x1b[31m\u202efolder\n", advice="make\x07 one")))
    assert capsys.readouterr().err == ("batchscan: no \\x1b[31m\\u202efolder\\n\n  make\\x07 one\n")


def test_an_error_without_a_message_ends_without_a_word(capsys):
    assert run_guarded(raising(LockedError("", advice="wait"))) == 7
    assert capsys.readouterr().err == ""


def test_a_bug_is_shown_whole_and_called_a_bug(capsys, caplog):
    assert run_guarded(raising(ZeroDivisionError("boom"))) == 1
    assert "this is a bug in batchscan" in capsys.readouterr().err
    assert "boom" in caplog.text
    assert "Traceback" in caplog.text
