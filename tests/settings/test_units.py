from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.settings.numeric_types import RatesType
from batchscan.settings.units import (
    Rate,
    format_duration,
    format_rate,
    format_size,
    parse_duration,
    parse_rate,
    parse_size,
)

MILLISECONDS = st.integers(0, 100 * 366 * 86_400_000)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("0", 0),
        ("0s", 0),
        ("1.5s", 1.5),
        ("15m", 900),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        (" 30 d ", 30 * 86400),
        ("2w", 14 * 86400),
    ],
)
def test_a_duration_is_read_as_seconds(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "15", "m", "-5s", "15 minutes", "15M", "1e3s", "nan s", "٣s", "1_000s", "1:30", "5s!"],
)
def test_an_invalid_duration_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="as in 15m or 1h30m"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["30m1h", "1h1h", "1ms1s"])
def test_a_duration_with_its_units_in_disorder_is_refused(text):
    with pytest.raises(ValueError, match="each unit once, the largest first"):
        parse_duration(text)


@given(MILLISECONDS)
def test_durations_survive_writing_and_reading(milliseconds):
    seconds = milliseconds / 1000
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.25, "250ms"),
        (900, "15m"),
        (150, "2m30s"),
        (30 * 86400, "30d"),
        (1.5, "1s500ms"),
    ],
)
def test_a_duration_is_written_as_people_would(seconds, text):
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("20MB", 20_000_000),
        ("256MiB", 256 * 1024**2),
        ("256 mib", 256 * 1024**2),
        ("1.5kB", 1500),
        ("17", 17),
        ("17B", 17),
        ("2TB", 2 * 1000**4),
    ],
)
def test_a_size_is_read_as_bytes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "20M", "20XB", "-1MB", "1e6", "1,5MB"])
def test_an_invalid_size_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="as in 20MB or 256MiB"):
        parse_size(text)


def test_a_part_of_a_byte_is_refused():
    with pytest.raises(ValueError, match="whole number of bytes"):
        parse_size("0.3B")


@given(st.integers(0, 10**15 - 1))
def test_sizes_survive_writing_and_reading(size):
    assert parse_size(format_size(size)) == size


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0B"), (20_000_000, "20MB"), (2**28, "256MiB"), (1234567, "1234567B")]
)
def test_a_size_is_written_with_its_shortest_unit(size, text):
    assert format_size(size) == text


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("10/s", Rate(10, 1)),
        ("900/15m", Rate(900, 900)),
        ("5/250ms", Rate(5, 0.25)),
        ("1 / h", Rate(1, 3600)),
    ],
)
def test_a_rate_is_read_as_requests_and_seconds(text, rate):
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["10/", "/s", "ten/s", "1.5/s", "-1/s", "10/0x"])
def test_an_invalid_rate_is_refused(text):
    with pytest.raises(ValueError, match=r"as in 10/s|as in 15m"):
        parse_rate(text)


@pytest.mark.parametrize("raw", ["10", 10, ["10", "5/m"], [10]], ids=repr)
def test_a_rate_without_a_time_is_answered_with_how_to_write_it(raw):
    with pytest.raises(ValueError, match=r"^write 10/s "):
        RatesType().read(raw)


@given(st.integers(1, 10**6), MILLISECONDS)
def test_rates_survive_writing_and_reading(requests, milliseconds):
    rate = Rate(requests, milliseconds / 1000)
    assert parse_rate(format_rate(rate)) == rate


@pytest.mark.parametrize("text", ["10/s", "900/15m", "5/250ms", "7/1h30m", "3/d"])
def test_a_rate_is_written_as_it_was_read(text):
    assert format_rate(parse_rate(text)) == text
