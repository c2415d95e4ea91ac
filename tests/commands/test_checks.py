from __future__ import annotations

import pytest

from batchscan.commands.checks import (
    Finding,
    Level,
    check_account,
    check_output,
    check_state,
    exit_code,
)
from batchscan.errors import AuthRefused, StorageError, Unavailable, UsageError
from batchscan.settings import Account, Output, Secret, Settings


def state_at(path):
    return Settings(output=Output(state=str(path)))


def test_without_problems_the_exit_code_is_0():
    assert exit_code([]) == 0
    assert exit_code([Finding(Level.OK, "x", "y"), Finding(Level.WARNING, "x", "y")]) == 0


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ([UsageError("x")], 2),
        ([Unavailable("x"), AuthRefused("x")], 4),
        ([AuthRefused("x"), StorageError("x"), UsageError("x")], 9),
    ],
)
def test_the_worst_problem_gives_the_exit_code(errors, code):
    assert exit_code(Finding.of("x", error) for error in errors) == code


def test_missing_credentials_are_a_problem_and_complete_ones_show_no_key():
    assert check_account(Settings()).code == 2
    found = check_account(Settings(account=Account("a@b.test", api_key=Secret("s3cr3t"))))
    assert found.level is Level.OK
    assert "s3cr3t" not in repr(found)


def test_a_state_folder_that_is_not_there_yet_will_be_made(tmp_path):
    found = list(check_state(state_at(tmp_path / "a" / "b")))
    assert [finding.level for finding in found] == [Level.OK] * 3
    assert found[0].detail.endswith("a/b (will be created)")
    assert found[2].detail == "none yet: no scan so far"
    assert not list(tmp_path.iterdir())


def test_a_state_folder_that_others_can_read_is_worth_a_warning(tmp_path):
    (tmp_path / "s").mkdir(mode=0o755)
    (tmp_path / "s").chmod(0o755)
    found = next(check_state(state_at(tmp_path / "s")))
    assert (found.level, found.advice) == (Level.WARNING, f"chmod 700 {tmp_path / 's'}")


def test_a_ledger_that_is_none_is_a_problem(tmp_path):
    tmp_path.chmod(0o700)
    (tmp_path / "ledger.sqlite3").write_bytes(b"not a database, but long enough to be read" * 99)
    found = list(check_state(state_at(tmp_path)))
    assert [(finding.what, finding.code) for finding in found if finding.code] == [("ledger", 9)]


def test_a_file_in_the_place_of_the_output_folder_is_a_problem(tmp_path):
    (tmp_path / "out").write_text("")
    found = check_output(Settings(output=Output(directory=str(tmp_path / "out"))))
    assert (found.level, found.code) == (Level.PROBLEM, 9)
