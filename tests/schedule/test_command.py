"""`batchscan schedule`: what it prints, refuses and says; nothing is run here."""

from __future__ import annotations

import dataclasses
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from batchscan.cli.scheduled_scan import ScheduleRequest, schedule
from batchscan.schedule import Timing, service_unit
from tests.support.pictures import tree
from tests.support.schedule_reading import cron_command


def test_a_scan_comes_out_with_exactly_its_flags_and_with_whole_paths(machine):
    tree(machine.home, {"rules.yaml": b"rules: []\n"})
    words = machine.command(
        "--rate", "5/s", "--rate", "900/15m", "-j", "8", "--follow-symlinks", "-q",
        "--allow", "rules.yaml", "--exclude=-x $HOME 100%", "my images", "--log-file=log/a.log",
    )  # fmt: skip

    assert sorted(words) == sorted([
        "scan", "--rate=5/s", "--rate=900/15m", "--concurrency=8", "--follow-symlinks", "--quiet",
        f"--allow={machine.home}/rules.yaml", "--exclude=-x $HOME 100%",
        f"--log-file={machine.home}/log/a.log", str(machine.images),
    ])  # fmt: skip


def test_with_and_without_the_dashes_it_is_the_same(machine):
    flags = ("--max-credits", "5", "--min-age", "5m", "./my images", "--if-locked=skip")

    assert machine.command(*flags) == machine.command("--", *flags)
    assert machine.line(*flags) == machine.line("--", *flags)


def test_what_is_called_like_an_option_of_ours_belongs_to_the_scan_behind_the_dashes(machine):
    tree(machine.home, {"-odd": b""})
    words = machine.command("-o", "one", "--", "-o", "two", "--", "-odd")

    assert f"--output={machine.home}/two" in words
    assert words[-1] == f"{machine.home}/-odd"


@pytest.mark.parametrize("form", ["--systemd", "--cron"])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--rate", "0/s", "my images"), "pace.rate: found '[0/s]'"),
        (("--frobnicate", "my images"), "No such option"),
        (("nowhere",), "cannot scan '"),
        ((), "no PATH was given"),
        (("--files-from", "-"), "a scheduled scan has no stdin"),
        (("--files-from", "nowhere.txt"), "does not exist"),
        (("--config", "nowhere.yaml", "my images"), "nowhere.yaml: cannot be read"),
        (("--at", "noon", "my images"), "--at: found 'noon'"),
        (("--at", "1:00", "--every", "1d", "my images"), "either --at or --every"),
        (("--name", "../x", "my images"), "--name: found"),
    ],
)
def test_what_would_fail_at_night_fails_now(machine, form, words, said):
    code, out, err = machine.asked(form, *words)

    assert (code, out) == (2, "")
    assert said in err


@pytest.mark.parametrize("words", [(), ("--systemd", "--cron")])
def test_it_is_either_for_systemd_or_for_cron(machine, words):
    code, _, err = machine.asked(*words, "my images")
    assert code == 2
    assert "one of --systemd, --cron and --launchd" in err


def test_no_secret_is_in_it_and_what_is_to_be_done_is_said(machine, monkeypatch):
    monkeypatch.setenv("COPYLEAKS_API_KEY", "s3cr3t-key")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:s3cr3t@proxy.example:3128")
    for form in ("--systemd", "--cron"):
        code, out, err = machine.asked(form, "my images")
        assert code == 0
        assert "s3cr3t" not in out + err
        assert "the API key is read from" in err
        assert "HTTPS_PROXY: set it " in err


def test_the_key_comes_from_the_file_that_the_user_has(machine, monkeypatch):
    tree(machine.home, {"key": b"key\n"})
    (machine.home / "key").chmod(0o600)
    monkeypatch.setenv("COPYLEAKS_API_KEY_FILE", "key")

    assert machine.units("my images")["LoadCredential"] == [f"copyleaks_api_key:{machine.home}/key"]
    assert f" COPYLEAKS_API_KEY_FILE={machine.home}/key " in machine.line("my images")
    (machine.home / "key").chmod(0o644)
    assert machine.asked("--cron", "my images")[0] == 2


def test_what_the_environment_and_the_settings_file_say_now_holds_at_night(machine, monkeypatch):
    tree(machine.home, {"b.yaml": b"scan: {if_locked: skip}\noutput: {state: kept}\n"})
    monkeypatch.setenv("BATCHSCAN_CONFIG", "b.yaml")
    monkeypatch.setenv("COPYLEAKS_API_URL", "http://127.0.0.1:1")
    units, line = machine.units("my images"), machine.line("my images")

    assert "COPYLEAKS_API_URL=http://127.0.0.1:1" in units["Environment"]
    assert "COPYLEAKS_API_URL=http://127.0.0.1:1" in line
    assert f"--config={machine.home}/b.yaml" in units["ExecStart"][0]
    assert f"--config={machine.home}/b.yaml" in line
    assert units["SuccessExitStatus"] == ["5 7 143"]
    assert units["ReadWritePaths"] == [f"{machine.home}/kept"]


def test_secrets_of_alerts_are_to_be_given_where_only_the_job_reads_them(machine):
    settings = "alerts: {webhook: {url: 'https://a.test/s3cr3t', secret_env: HOOK}, on_new: [/x]}"
    tree(machine.home, {"b.yaml": settings.encode()})
    units = machine.units("-c", "b.yaml", "my images")
    assert units["EnvironmentFile"] == ["/etc/batchscan/env"]
    for form, place in (("--systemd", "/etc/batchscan/env"), ("--cron", "the top of the crontab")):
        code, out, err = machine.asked(form, "-c", "b.yaml", "my images")
        assert code == 0
        assert f"HOOK: set it {'in' if form == '--systemd' else 'at'} {place}" in err
        assert "s3cr3t" not in out + err
    assert "EnvironmentFile" not in machine.units("my images")


def test_a_service_goes_on_with_the_answers_that_are_paid_for(machine):
    assert not any(word.startswith("--state") for word in machine.command("my images"))
    state = machine.home / ".local/state/batchscan"
    tree(state, {"ledger.sqlite3": b""})
    code, out, err = machine.asked("--systemd", "my images")

    assert code == 0
    assert f"--state={state}" in out
    assert f"ReadWritePaths={state}" in out
    assert "uses the ledger with your paid answers" in err


def test_a_service_sees_no_more_of_the_machine_than_it_needs(machine):
    units = machine.units("-o", "out", "--log-file", "log", "my images")

    assert units["ReadOnlyPaths"] == [f'"-{machine.images}"']
    assert units["ReadWritePaths"] == [f"{machine.home}/out", str(machine.home)]
    assert units["ProtectSystem"] == ["strict"]
    assert units["StateDirectory"] == ["batchscan"]
    assert units["Persistent"] == ["true"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
@pytest.mark.parametrize(("number", "name"), [(0, None), (65534, "nobody"), (54321, "54321")])
def test_a_service_runs_as_whoever_asked_for_it(number, name):
    code = "import os, sys; from batchscan.cli import scheduled_scan as scheduled; os.setuid(int(sys.argv[1]));"
    done = subprocess.run(
        [sys.executable, "-c", f"{code} print(scheduled._user())", str(number)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip

    assert done.stdout == f"{name}\n"


def test_a_service_without_root_has_no_rights_of_roots(machine):
    job = schedule(ScheduleRequest("x", Timing.at(), systemd=True), ["my images"], {}).job()
    mine = service_unit(dataclasses.replace(job, user="me"))
    roots = service_unit(dataclasses.replace(job, user=None))

    assert "User=me\n" in mine
    assert "CapabilityBoundingSet=\n" in mine
    assert "User=" not in roots
    assert "CapabilityBoundingSet=CAP_DAC_OVERRIDE\n" in roots


def test_a_line_break_in_a_name_is_written_for_systemd_and_refused_for_cron(machine):
    tree(machine.home, {"a\nb/p.png": b""})

    assert machine.command("a\nb")[-1] == f"{machine.home}/a\nb"
    code, out, err = machine.asked("--cron", "a\nb")
    assert (code, out) == (2, "")
    assert "cannot be written in a crontab" in err


def test_surprising_options_are_warned_about(machine, monkeypatch):
    monkeypatch.delenv("COPYLEAKS_EMAIL")
    code, _, err = machine.asked("--cron", "--force", f"--exclude={'x' * 1000}", "my images")

    assert code == 0
    assert "no e-mail address is set" in err
    assert "--force sends every picture again each time, and pays" in err
    assert "some versions of cron allow only 998" in err


def test_a_dry_run_needs_no_account(machine, monkeypatch):
    monkeypatch.delenv("COPYLEAKS_EMAIL")
    code, out, err = machine.asked("--systemd", "-n", "my images")

    assert code == 0
    assert "LoadCredential" not in out
    assert "e-mail" not in err


@pytest.mark.parametrize("folder", ["units", "."])
def test_units_are_written_and_the_next_steps_are_printed(machine, folder):
    (machine.home / folder).mkdir(exist_ok=True)
    code, out, err = machine.asked("--systemd", "--name=nightly", "--to", folder, "my images")

    assert (code, out) == (0, "")
    service = machine.home / folder / "nightly.service"
    assert "ExecStart=" in service.read_text()
    assert f"systemctl link {Path(os.path.normpath(service))}" in err
    assert "enable --now" in err
    assert machine.asked("--systemd", "--name=nightly", "--to", folder, "my images")[0] == 0
    service.write_text("[Service]\n")
    code, _, err = machine.asked("--systemd", "--name=nightly", "--to", folder, "my images")
    assert code == 2
    assert "not written by batchscan or was changed since" in err


def test_only_units_are_written_and_only_to_a_folder(machine):
    assert machine.asked("--cron", "--to", ".", "my images")[0] == 2
    assert machine.asked("--systemd", "--to", "nowhere", "my images")[0] == 2


def test_a_name_that_is_not_utf_8_survives(machine):
    os.makedirs(os.fsencode(machine.home) + b"/a\xff")
    line = machine.line("a\udcff").encode(errors="surrogateescape")

    assert line.endswith(b"/a\xff'")
    assert r"\xff" in machine.units("a\udcff")["ExecStart"][0]


def test_the_crontab_line_pins_what_cron_would_look_for_elsewhere(machine):
    words = shlex.split(cron_command(machine.line("--at", "4:30", "my images")))

    assert f"--output={machine.home}/batchscan-output" in words
    assert f"--state={machine.home}/.local/state/batchscan" in words
    assert words[0] == "COPYLEAKS_EMAIL=me@example.com"
    assert machine.line("--at", "4:30", "my images").startswith("30 4 * * * ")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_systemd_verifies_the_units_and_rates_their_exposure_low(machine):
    tree(machine.home, {"100% $HOME \"q' \\ é;/p.png": b"", "u/x": b""})
    code, _, err = machine.asked(
        "--systemd", "--to", "u", "--exclude", "a $x ${y} %h \\ \x1b", "-o", "out %",
        "my images", "100% $HOME \"q' \\ é;",
    )  # fmt: skip
    assert code == 0, err
    units = [str(machine.home / "u" / f"batchscan.{kind}") for kind in ("service", "timer")]
    verified = analyze("verify", "--man=no", *units)
    exposed = analyze("security", "--offline=true", "--threshold=30", units[0])

    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")
    assert exposed.returncode == 0, exposed.stdout


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    """What `systemd-analyze` says."""
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *words],
        check=False, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
