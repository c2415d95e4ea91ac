from hypothesis import given
from hypothesis import strategies as st

from batchscan.enums import FailReason, Status
from batchscan.model import Failed, Reused, Scanned
from batchscan.tally import Tally
from tests.support.outcomes import ANSWER, NO_EFFORT, SUBJECT, outcomes

unchanged = st.tuples(st.integers(0, 10_000), st.integers(0, 2**40))


@given(st.lists(outcomes | unchanged))
def test_the_counts_add_up_whatever_happens(events):
    tally = Tally()
    files = 0
    for event in events:
        if isinstance(event, tuple):
            tally.unchanged(*event)
            files += event[0]
        else:
            tally.record(event)
            files += 1

    assert tally.seen == files == sum(tally.statuses[status] for status in Status)
    assert tally.fault() is None
    assert sum(tally.reasons.values()) == sum(
        tally.statuses[status] for status in (Status.REJECTED, Status.FAILED, Status.DEFERRED)
    )


@given(st.permutations([Scanned, Reused, Scanned]))
def test_credits_are_charged_for_scans_and_saved_by_reuse(kinds):
    tally = Tally()
    for kind in kinds:
        tally.record(kind(SUBJECT, NO_EFFORT, ANSWER))

    assert (tally.charged, tally.expected, tally.saved_by_reuse, tally.matches_found) == (
        2,
        2,
        1,
        2,
    )
    assert tally.bytes == 3 * 1234
    assert not tally.incomplete


def test_counts_that_do_not_add_up_are_named():
    tally = Tally()
    tally.record(Failed(SUBJECT, NO_EFFORT, FailReason.NETWORK, ""))
    tally.reasons.clear()

    assert tally.fault() == "1 failed, but 0 with a reason"


def test_lost_coverage_makes_a_run_incomplete():
    failed = Tally()
    failed.record(Failed(SUBJECT, NO_EFFORT, FailReason.NETWORK, ""))

    assert failed.incomplete
    assert Tally(unreadable_folders=1).incomplete
    assert Tally(empty_roots=["/mnt"]).incomplete
