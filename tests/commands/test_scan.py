from __future__ import annotations

import json

import pytest

from batchscan.commands.scan import print_result, quiet_lines
from batchscan.enums import ExitReason
from batchscan.errors import NoCredits
from batchscan.report_sections import MatchSummary
from batchscan.settings import Output
from tests.support.report_facts import books, match_totals, report

CLEAN = report(books(scanned=3))
PARTIAL = report(
    books(scanned=1, failed={"network": 2}, deferred={"credits": 1}, rejected={"corrupt": 1}),
    exit_code=3,
    exit_reason=ExitReason.PARTIAL,
)


def test_a_run_sums_up_on_stdout(capsys):
    print_result(Output(), CLEAN, "/out/runs/1", None)
    said = capsys.readouterr()
    assert "All 3 pictures" in said.out
    assert said.err == ""


def test_json_is_one_object_on_stdout(capsysbinary):
    print_result(Output(json=True), CLEAN, "/out/runs/1", None)
    said = capsysbinary.readouterr()
    assert json.loads(said.out)["files"]["scanned"] == 3
    assert said.err == b""


def test_what_ended_a_run_early_is_reported_on_stderr_in_every_mode(capsys):
    error = NoCredits("out of credits", advice="buy some")
    for output in (Output(), Output(json=True), Output(quiet=True)):
        print_result(output, PARTIAL, "/out/runs/1", error)
        assert "batchscan: out of credits\n  buy some\n" in capsys.readouterr().err


def test_a_successful_quiet_run_is_silent(capsys):
    print_result(Output(quiet=True), CLEAN, "/out/runs/1", None)
    assert capsys.readouterr() == ("", "")


def test_a_quiet_run_shows_newly_rejected_pictures_in_one_line_by_reason(capsys):
    rejected = report(books(scanned=1, rejected={"corrupt": 2, "too_large": 1}))
    print_result(Output(quiet=True), rejected, "/out/runs/1", None)
    assert capsys.readouterr() == (
        "",
        "batchscan: newly rejected: 2 corrupt, 1 too_large; see /out/runs/1/results.jsonl\n",
    )


def test_a_failed_quiet_run_explains_itself_in_one_paragraph():
    rejected, ended = quiet_lines(PARTIAL, "/out")
    assert rejected == "newly rejected: 1 corrupt; see /out/results.jsonl"
    assert ended == (
        "ended with 3 (partial); 3 of 5 pictures have no answer: 1 credits, 2 network; "
        "see /out/report.json"
    )


def test_a_quiet_run_reports_lost_coverage():
    tally = books(scanned=1)
    tally.unreadable_folders = 2
    tally.empty_roots = ["/mnt/nas"]
    lost = report(tally, exit_code=3, exit_reason=ExitReason.PARTIAL)
    (line,) = quiet_lines(lost, "/out")
    assert (
        "2 folders could not be read; empty or missing, but had pictures before: /mnt/nas" in line
    )


@pytest.mark.parametrize("young", [0, 1])
def test_a_quiet_run_with_fail_on_shows_what_was_found(young):
    digest = MatchSummary(match_totals(2, 5, 3, 2))
    tally = books(scanned=2, deferred={"too_young": young} if young else {})
    found = report(tally, digest, exit_code=10, exit_reason=ExitReason.MATCHES)
    (line,) = quiet_lines(found, "/out")
    assert (
        "2 pictures with matches: 3 full, 2 partial, 0 new or returned; see /out/report.json"
        in line
    )
