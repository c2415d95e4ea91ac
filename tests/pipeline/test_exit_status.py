from __future__ import annotations

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.enums import DeferReason, ExitReason
from batchscan.errors import (
    AuthRefused,
    Interrupted,
    LimitReached,
    NoCredits,
    StorageError,
    Unavailable,
)
from batchscan.pace import SystemClock
from batchscan.pipeline.exit_status import exit_status
from batchscan.pipeline.shutdown import Shutdown
from batchscan.report_sections import FailOnTotals
from batchscan.tally import Tally

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
