from __future__ import annotations

import asyncio
import faulthandler
import json
import os
import signal
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.enums import DeferReason, ExitReason, FailReason
from batchscan.errors import (
    AuthRefused,
    Interrupted,
    LimitReached,
    LockedError,
    NoCredits,
    StopRun,
    StorageError,
    Unavailable,
)
from batchscan.model import Claim, Failed
from batchscan.pace import SystemClock
from batchscan.pipeline.decision import RefusedNow
from batchscan.pipeline.exit_status import exit_status
from batchscan.pipeline.refusal_breaker import HeldRefusal, RefusalBreaker
from batchscan.pipeline.request_stats import LatencyHistogram
from batchscan.pipeline.shutdown import Shutdown
from batchscan.report_sections import FailOnTotals
from batchscan.runs.rescued_answers import rescue, rescued
from batchscan.state.crash_marks import MARKS, CrashMarks, crash_trace
from batchscan.state.lock import StateLock, make_private_folder
from batchscan.tally import Tally
from tests.support.ledgers import answer, image
from tests.support.outcomes import NO_EFFORT, SUBJECT

REASONS = [
    (Interrupted(signal.SIGTERM), 143),
    (StorageError("x"), 9),
    (AuthRefused("x"), 4),
    (NoCredits("x"), 6),
    (Unavailable("x"), 8),
    (LimitReached("x", reason=DeferReason.LIMIT), 5),
]


@given(st.permutations(REASONS), st.integers(1, 6))
async def test_where_several_reasons_hold_the_contract_decides(order, most):
    stop = Shutdown(SystemClock())
    for reason, _ in order[:most]:
        stop.request(reason)
    gravest = min(order[:most], key=REASONS.index)

    code, _ = exit_status(stop, Tally(), FailOnTotals(), "none")
    assert code == gravest[1]


@pytest.mark.parametrize(
    ("fail_on", "alarms", "code"),
    [
        ("none", FailOnTotals(new=1, full=5, total=5), 0),
        ("new", FailOnTotals(new=0, full=5, total=5), 0),
        ("new", FailOnTotals(new=1, full=0, total=5), 10),
        ("full", FailOnTotals(new=1, full=0, total=5), 0),
        ("full", FailOnTotals(new=0, full=1, total=5), 10),
        ("any", FailOnTotals(new=0, full=0, total=5), 10),
        ("any", FailOnTotals(), 0),
    ],
)
async def test_matches_change_the_exit_code_only_when_asked_to(fail_on, alarms, code):
    assert exit_status(Shutdown(SystemClock()), Tally(), alarms, fail_on)[0] == code


async def test_lost_coverage_is_never_exit_0_nor_covered_up_by_matches():
    tally = Tally(unreadable_folders=1)

    assert exit_status(Shutdown(SystemClock()), tally, FailOnTotals(total=1), "any") == (
        3,
        ExitReason.PARTIAL,
    )


async def test_a_bug_ends_with_1_unless_a_signal_came():
    stop = Shutdown(SystemClock())
    stop.request_for_bug(ValueError("bug"))
    assert exit_status(stop, Tally(), FailOnTotals(), "none")[0] == 1

    stop.request(Interrupted(signal.SIGINT))
    assert exit_status(stop, Tally(), FailOnTotals(), "none")[0] == 130


async def test_who_sleeps_gets_the_stop_at_once():
    stop = Shutdown(SystemClock())
    sleeper = asyncio.create_task(stop.sleep(3600))
    await asyncio.sleep(0)
    stop.request(NoCredits("no credits left"))

    with pytest.raises(StopRun, match="no credits"):
        await sleeper


def held(number: int) -> HeldRefusal:
    picture = image(content=b"%d" % number)
    refused = Failed(SUBJECT, NO_EFFORT, FailReason.SERVER_ERROR, "")
    return HeldRefusal(picture, RefusedNow(refused, Claim(1, "bs-1", 1)))


def test_ten_different_refusals_in_a_row_are_the_services_fault():
    refusals = RefusalBreaker()

    assert [refusals.refused(held(number)) for number in range(10)] == [False] * 9 + [True]


def test_twins_of_a_refused_picture_do_not_count_and_an_answer_starts_anew():
    refusals = RefusalBreaker()
    for _ in range(20):
        assert not refusals.refused(held(0))
    assert len(refusals.release()) == 20

    assert not any(refusals.refused(held(number)) for number in range(9))


def test_a_rescued_answer_is_found_again_and_a_torn_line_is_not(tmp_path, ledger_claim):
    where = rescue(str(tmp_path), ledger_claim, answer().body, answer().received_at)
    with open(where, "ab") as file:
        file.write(b'{"scan_id": "bs-torn", "rece')

    found = rescued(str(tmp_path))
    assert [(one.scan_id, one.body) for one in found] == [(ledger_claim.scan_id, answer().body)]


def test_an_answer_rescued_after_a_torn_one_is_found_again(tmp_path, ledger_claim):
    (tmp_path / "rescued-answers.jsonl").write_bytes(b'{"scan_id": "bs-torn", "rece')
    rescue(str(tmp_path), ledger_claim, answer().body, answer().received_at)

    assert [one.scan_id for one in rescued(str(tmp_path))] == [ledger_claim.scan_id]


def test_where_no_file_can_be_written_the_answer_goes_to_stderr(
    tmp_path, ledger_claim, capfdbinary
):
    where = rescue(str(tmp_path / "gone"), ledger_claim, answer().body, answer().received_at)
    line = capfdbinary.readouterr().err

    assert where == "stderr"
    assert json.loads(line[line.index(b"{") :])["scan_id"] == ledger_claim.scan_id


@pytest.fixture
def ledger_claim():
    return Claim(1, "bs-0123", 1)


def test_a_second_run_learns_who_holds_the_state_folder(tmp_path):
    first = StateLock(tmp_path, "fail")
    assert first.acquire()
    with pytest.raises(LockedError, match=f"process {os.getpid()}"):
        StateLock(tmp_path, "fail").acquire()
    with pytest.raises(LockedError) as skipped:
        StateLock(tmp_path, "skip").acquire()
    assert str(skipped.value) == ""
    assert StateLock(tmp_path, "wait").acquire() is False

    first.release()
    second = StateLock(tmp_path, "fail")
    assert second.acquire()
    second.release()


def test_a_private_folder_is_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        make_private_folder(tmp_path / "a" / "state")
    finally:
        os.umask(before)

    assert (tmp_path / "a" / "state").stat().st_mode & 0o777 == 0o700


def test_a_state_folder_that_cannot_be_made_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(StorageError):
        make_private_folder(tmp_path / "file" / "state")


CRASH = """
import os, signal, sys
from pathlib import Path
from batchscan.state.crash_marks import CrashMarks, crash_trace
state = Path(sys.argv[1])
with crash_trace(state):
    marks = CrashMarks(state)
    with marks.checking("/p/harmless.png"):
        pass
    with marks.checking("/p/poison.webp"):
        os.kill(os.getpid(), getattr(signal, sys.argv[2]))
"""


@pytest.mark.parametrize(
    ("signal_name", "suspects"), [("SIGSEGV", {"/p/poison.webp"}), ("SIGKILL", set())]
)
def test_a_file_that_crashed_a_run_is_suspected_once(tmp_path, signal_name, suspects):
    subprocess.run([sys.executable, "-c", CRASH, str(tmp_path), signal_name], check=False)
    marks = CrashMarks(tmp_path)
    assert marks.suspects == suspects
    marks.close()

    again = CrashMarks(tmp_path)
    assert again.suspects == frozenset()
    again.close()


def test_marks_are_written_only_where_they_change(tmp_path):
    CrashMarks(tmp_path).close()
    path = tmp_path / MARKS
    size = path.stat().st_size
    os.utime(path, ns=(1, 1))
    CrashMarks(tmp_path).close()
    assert path.stat().st_mtime_ns == 1

    for other in (0, size, size + 1):  # the second is nothing but a hole
        os.truncate(path, 0)
        os.truncate(path, other)
        CrashMarks(tmp_path).close()
        assert path.stat().st_size == size <= path.stat().st_blocks * 512


def test_tracing_crashes_goes_without_a_state_folder(tmp_path):
    was_enabled = faulthandler.is_enabled()
    with crash_trace(tmp_path / "not there"):
        assert faulthandler.is_enabled() == was_enabled


@given(st.lists(st.floats(0.2, 100_000), min_size=1, max_size=200))
def test_quantiles_are_right_within_five_percent(samples):
    latencies = LatencyHistogram()
    for sample in samples:
        latencies.add(sample)
    ordered = sorted(samples)

    for share, exact in ((0.5, ordered[(len(ordered) - 1) // 2]), (1.0, ordered[-1])):
        assert latencies.quantile(share) == pytest.approx(exact, rel=0.05)


def test_without_samples_there_is_no_quantile():
    assert LatencyHistogram().quantile(0.5) is None
