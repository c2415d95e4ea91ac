from __future__ import annotations

import re
import shutil
import subprocess
from datetime import datetime

import pytest

from batchscan.errors import UsageError
from batchscan.schedule import Timing

TIMES = [
    (Timing.at("2:15"), "*-*-* 02:15:00", "15 2 * * *", "every day at 02:15", 900),
    (Timing.at("23:05"), "*-*-* 23:05:00", "5 23 * * *", "every day at 23:05", 900),
    (Timing.every("24h"), "*-*-* 02:15:00", "15 2 * * *", "every day at 02:15", 900),
    (Timing.every("7d"), "Sun *-*-* 02:15:00", "15 2 * * 0", "every Sunday at 02:15", 900),
    (Timing.every("1w"), "Sun *-*-* 02:15:00", "15 2 * * 0", "every Sunday at 02:15", 900),
    (Timing.every("6h"), "*-*-* 00/6:15:00", "15 */6 * * *", "every 6h", 900),
    (Timing.every("60m"), "*-*-* 00/1:15:00", "15 */1 * * *", "every 1h", 360),
    (Timing.every("15m"), "*-*-* *:00/15:00", "*/15 * * * *", "every 15m", 90),
]


@pytest.mark.parametrize(("timing", "calendar", "cron", "words", "spread"), TIMES)
def test_a_time_is_the_same_to_systemd_to_cron_and_to_people(timing, calendar, cron, words, spread):
    assert (timing.calendar, timing.cron, timing.words) == (calendar, cron, words)
    assert timing.spread == spread


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
@pytest.mark.parametrize(
    "timing", dict.fromkeys(row[0] for row in TIMES), ids=lambda timing: timing.cron
)
def test_systemd_understands_the_time_and_its_period(timing):
    said = subprocess.run(
        ["systemd-analyze", "calendar", "--iterations=3", timing.calendar],
        check=True, capture_output=True, text=True, env={"LC_ALL": "C", "TZ": "UTC"},
    ).stdout  # fmt: skip
    first, second, third = map(datetime.fromisoformat, re.findall(r"[\d-]{10} [\d:]{8}", said))

    assert (second - first).total_seconds() == (third - second).total_seconds() == timing.period


@pytest.mark.parametrize("text", ["", "25:00", "2.15", "02:60", "noon", "2:5"])
def test_an_invalid_time_of_day_is_refused(text):
    with pytest.raises(UsageError, match=r"--at: found .*; allowed: a time of day"):
        Timing.at(text)


@pytest.mark.parametrize("text", ["0", "5s", "7m", "90m", "5h", "2d", "30d", "1500ms"])
def test_a_duration_beyond_the_calendar_is_refused(text):
    with pytest.raises(UsageError, match=r"--every: found .*; allowed: minutes that divide"):
        Timing.every(text)


def test_an_invalid_duration_is_refused():
    with pytest.raises(UsageError, match=r"--every: found 'daily'; a duration is"):
        Timing.every("daily")
