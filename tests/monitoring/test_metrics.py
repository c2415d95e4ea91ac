"""The file for node_exporter, checked by Prometheus's own parser and its linter."""

from __future__ import annotations

import dataclasses
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from batchscan.enums import ExitReason, Status
from batchscan.errors import StorageError
from batchscan.monitoring.metrics import Ending, write_metrics
from batchscan.report.schema import Alerts
from batchscan.report_sections import MatchSummary
from tests.support.report_facts import books, match_totals, report

TOTALS = match_totals(images_with_matches=34, total=120, full=80, partial=38, new=7, returned=2,
                     gone=11, allowed=3, worklist=99)  # fmt: skip
BOOKS = books(unchanged=90, scanned=7, failed={"network": 2}, deferred={"limit": 1})
ENDED = Ending(
    exit_code=0,
    exit_reason=ExitReason.OK,
    started_at=1_795_456_950.0,
    finished_at=1_795_456_961.0,
    report=report(
        BOOKS,
        MatchSummary(matches=TOTALS),
        balance=1234,
        alerts=Alerts(told=1, pending=2, troubles=[]),
    ),
    oldest_answer=1_795_456_961.0 - 86_400,
)
FAILED = dataclasses.replace(
    ENDED, exit_code=7, exit_reason=ExitReason.LOCKED, report=None, finished_at=1_795_500_000.0
)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "pictures.prom"


def figures(file: Path) -> dict[str, float]:
    """Every figure, as `name` or `name{state}`."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(file.read_text()):
        assert family.type == "gauge"
        assert family.documentation
        for sample in family.samples:
            assert sample.labels["scan"] == "pictures"
            word = sample.labels.get("status") or sample.labels.get("state")
            found[f"{sample.name}{{{word}}}" if word else sample.name] = sample.value
    return found


def test_everything_that_is_known_of_a_run_is_in_it(file):
    write_metrics(str(file), ENDED)
    found = figures(file)

    assert {name: found[f"batchscan_images{{{name}}}"] for name in Status} == {
        "unchanged": 90, "scanned": 7, "reused": 0, "covered": 0, "rejected": 0, "failed": 2, "deferred": 1,
    }  # fmt: skip
    states = ("new", "returned", "known", "gone")
    assert [found[f"batchscan_matches{{{state}}}"] for state in states] == [7, 2, 111, 11]
    assert found["batchscan_worklist_matches"] == 99
    assert found["batchscan_credits_balance"] == 1234
    assert found["batchscan_alerts_pending"] == 2
    assert found["batchscan_oldest_answer_age_seconds"] == 86_400
    assert found["batchscan_run_duration_seconds"] == 4
    assert found["batchscan_run_exit_code"] == 0
    assert found["batchscan_api_requests"] == 700
    assert found["batchscan_last_success_timestamp_seconds"] == ENDED.finished_at


def test_the_figures_are_those_of_the_report(file):
    assert ENDED.report is not None
    write_metrics(str(file), ENDED)
    found, made = figures(file), ENDED.report

    assert sum(value for name, value in found.items() if "_images{" in name) == made.files.seen
    assert found["batchscan_credits_charged"] == made.credits.charged
    assert found["batchscan_credits_unknown"] == made.credits.outcome_unknown
    assert found["batchscan_api_sent_bytes"] == made.api.bytes_sent
    assert found["batchscan_api_retries"] == made.api.retries
    assert found["batchscan_api_rate_limited"] == made.api.rate_limited


def test_a_failed_run_is_marked_and_keeps_the_time_of_the_last_success(file):
    write_metrics(str(file), ENDED)
    write_metrics(str(file), FAILED)
    write_metrics(str(file), FAILED)
    found = figures(file)

    assert found["batchscan_run_exit_code"] == 7
    assert found["batchscan_run_end_timestamp_seconds"] == FAILED.finished_at
    assert found["batchscan_last_success_timestamp_seconds"] == ENDED.finished_at
    assert not any(name.startswith("batchscan_images") for name in found)


@pytest.mark.parametrize("code", [0, 5, 10])
def test_what_ended_as_planned_is_a_success(file, code):
    write_metrics(str(file), dataclasses.replace(ENDED, exit_code=code))

    assert figures(file)["batchscan_last_success_timestamp_seconds"] == ENDED.finished_at


@pytest.mark.parametrize("junk", [b"", b"\xff\x00", b"batchscan_last_success_timestamp_seconds x"])
def test_what_is_not_known_is_left_out_and_junk_is_no_trouble(file, junk):
    file.write_bytes(junk)
    write_metrics(str(file), dataclasses.replace(FAILED, oldest_answer=None))
    found = figures(file)

    assert "batchscan_last_success_timestamp_seconds" not in found
    assert "batchscan_oldest_answer_age_seconds" not in found


def test_the_collector_may_read_it_whatever_the_umask_and_nothing_else_is_left(file):
    before = os.umask(0o077)
    try:
        write_metrics(str(file), ENDED)
    finally:
        os.umask(before)

    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert list(file.parent.iterdir()) == [file]


def test_a_missing_folder_is_reported(tmp_path):
    with pytest.raises(StorageError, match="cannot write"):
        write_metrics(str(tmp_path / "nowhere" / "a.prom"), ENDED)


@pytest.mark.skipif(not shutil.which("promtool"), reason="Prometheus is not installed here")
@pytest.mark.parametrize("ending", [ENDED, FAILED], ids=["ended", "failed"])
def test_the_linter_of_prometheus_finds_no_fault(file, ending):
    write_metrics(str(file), ending)
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=file.read_bytes(), check=False, capture_output=True
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
