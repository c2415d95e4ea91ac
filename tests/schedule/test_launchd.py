from __future__ import annotations

import plistlib

import pytest


@pytest.mark.parametrize(
    ("when", "times"),
    [
        ((), {"StartCalendarInterval": {"Hour": 2, "Minute": 15}}),
        (("--at", "23:05"), {"StartCalendarInterval": {"Hour": 23, "Minute": 5}}),
        (("--every", "7d"), {"StartCalendarInterval": {"Hour": 2, "Minute": 15, "Weekday": 0}}),
        (("--every", "6h"), {"StartInterval": 21_600}),
    ],
)
def test_an_agent_starts_the_scan_at_its_times(machine, when, times):
    code, out, err = machine.asked("--launchd", *when, "-q", "--limit", "5", str(machine.images))
    agent = plistlib.loads(out.encode())

    assert code == 0, err
    assert agent.items() >= times.items()
    assert agent["Label"] == "batchscan"
    assert agent["ProgramArguments"][-1] == str(machine.images)
    assert {"scan", "--quiet", "--limit=5"} <= set(agent["ProgramArguments"])
    assert agent["EnvironmentVariables"]["COPYLEAKS_API_KEY_FILE"]
    assert "launchctl bootstrap" in err


def test_one_kind_of_schedule_is_asked_for_at_a_time(machine):
    for words in ((), ("--cron", "--launchd"), ("--launchd", "--to", "/tmp")):
        assert machine.asked(*words, str(machine.images))[0] == 2


def test_a_path_that_no_property_list_can_hold_is_refused(machine):
    odd = machine.home / "a\nb"
    odd.mkdir()
    code, out, err = machine.asked("--launchd", str(odd))

    assert (code, out) == (2, "")
    assert "property list" in err
