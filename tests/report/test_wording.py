import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.enums import DeferReason, FailReason, RejectReason
from batchscan.report.wording import amount, duration, explained, shortened
from batchscan.util.columns import columns


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.2, "1 s"),
        (59.5, "1 min 0 s"),
        (1025, "17 min 5 s"),
        (10_000, "2 h 47 min"),
    ],
)
def test_a_displayed_duration_is_never_rounded_down(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [(0, "match", "0 matches"), (1, "match", "1 match"), (1000, "picture", "1,000 pictures")],
)
def test_things_are_counted_in_the_plural_but_for_one(number, noun, text):
    assert amount(number, noun) == text


@pytest.mark.parametrize("reason", [*RejectReason, *FailReason, *DeferReason])
def test_every_reason_has_words(reason):
    assert explained(2, reason).startswith("2 ")


@given(st.text(), st.integers(3, 40))
def test_a_shortened_name_fits_and_keeps_its_end(text, width):
    short = shortened(text, width)

    assert len(short) <= width
    assert columns(short) <= width
    assert short == text or text.endswith(short.split("…")[-1])
