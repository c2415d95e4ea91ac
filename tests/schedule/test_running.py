"""What `batchscan schedule` prints really runs: where systemd and cron would start it."""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from batchscan.emulator import EmulatorConfig
from batchscan.emulator.threaded import serve_in_thread
from batchscan.settings import Rate
from tests.schedule.conftest import report
from tests.support.pictures import bmp, dng, gif, ico, jpeg, tree, webp
from tests.support.schedule_reading import cron_command, systemd_command, systemd_words

FENCE = Path(__file__).parents[1] / "support" / "fence.py"
MEASURING = {name: value for name, value in os.environ.items() if name.startswith("COV")}
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0" && exec "$@"'
IN_READ_ONLY = ["unshare", "--mount", "sh", "-c", READ_ONLY]


def can_mount() -> bool:
    if os.geteuid() != 0 or not shutil.which("unshare"):
        return False
    words = [*IN_READ_ONLY, "/usr", "true"]
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


can_make_read_only = pytest.mark.skipif(
    not can_mount(), reason="nothing can be mounted read-only here: it takes root and namespaces"
)


@pytest.fixture
def emulator(machine, monkeypatch):
    with serve_in_thread(EmulatorConfig(search=False, rates=(Rate(1000, 1.0),))) as running:
        monkeypatch.setenv("COPYLEAKS_API_URL", running.url)
        monkeypatch.setenv("COPYLEAKS_IDENTITY_URL", running.url)
        yield running


def as_service(machine, units: dict[str, list[str]]) -> dict[str, str]:
    """The environment that systemd gives a service without a user, and folders made for it."""
    for name in ("state", "credentials"):
        (machine.home / name).mkdir(mode=0o700)
    key = machine.home / "credentials" / "copyleaks_api_key"
    key.write_text("key")
    key.chmod(0o440)
    return {
        **MEASURING,
        **dict(word.decode().split("=", 1) for line in units["Environment"]
               for word in systemd_words(line)),
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
        "STATE_DIRECTORY": str(machine.home / "state"),
        "CREDENTIALS_DIRECTORY": str(key.parent),
        "INVOCATION_ID": "0" * 32,
    }  # fmt: skip


def ran(command: list[str], **kwargs) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, **kwargs
    )


@can_make_read_only
def test_the_service_runs_where_systemd_starts_it_with_no_home_and_nothing_to_write(
    machine, emulator
):
    units = machine.units("./my images", "--exclude", "100% $HOME")
    environment = as_service(machine, units)
    nowhere = machine.home / "nowhere"
    nowhere.mkdir()
    command = [os.fsdecode(word) for word in systemd_command(units["ExecStart"][0])]
    done = ran([*IN_READ_ONLY, str(nowhere), *command], env=environment)

    assert (done.returncode, done.stderr) == (0, "")
    assert report(machine.home / "state" / "output")["files"]["scanned"] == 3
    assert (machine.home / "state" / "ledger.sqlite3").exists()
    assert sorted(path.name for path in machine.home.iterdir()) == [
        "credentials", "my images", "nowhere", "state",
    ]  # fmt: skip


@can_make_read_only
def test_a_read_only_working_folder_is_reported_before_anything_is_sent(machine, emulator):
    words = [sys.executable, "-m", "batchscan", "-q", str(machine.images)]
    environment = {**MEASURING, "COPYLEAKS_EMAIL": "me@example.com", "COPYLEAKS_API_KEY": "key",
                   "COPYLEAKS_API_URL": emulator.url, "COPYLEAKS_IDENTITY_URL": emulator.url,
                   "HOME": str(machine.home)}  # fmt: skip
    done = ran([*IN_READ_ONLY, str(machine.images), *words], env=environment)

    assert (done.returncode, done.stdout) == (9, "")
    assert "my images/batchscan-output/runs': Read-only file system" in done.stderr
    assert "choose another folder with --output" in done.stderr
    assert len(emulator.journal) == 0


def test_the_crontab_line_runs_where_cron_starts_it(machine, emulator, monkeypatch):
    tree(machine.home, {"key": b"key"})
    (machine.home / "key").chmod(0o600)
    monkeypatch.setenv("COPYLEAKS_API_KEY_FILE", "key")
    line = machine.line("-q", "./my images", "--exclude", "100% $HOME 'x'", "-o", "out 100%")
    environment = {**MEASURING, "HOME": str(machine.home), "LOGNAME": "me", "SHELL": "/bin/sh",
                   "PATH": "/usr/bin:/bin"}  # fmt: skip
    done = ran(["/bin/sh", "-c", cron_command(line)], env=environment, cwd="/")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert report(machine.home / "out 100%")["files"]["scanned"] == 3


@pytest.mark.slow
@can_make_read_only
@pytest.mark.skipif(
    not (shutil.which("systemd-analyze") and ctypes.util.find_library("seccomp")),
    reason="the fence is built by systemd's lists of calls and libseccomp",
)
def test_every_kind_of_picture_is_scanned_behind_the_fence_of_the_unit(machine, emulator):
    tree(machine.images, {"a.jpg": jpeg(), "b.webp": webp(), "c.gif": gif(), "d.bmp": bmp(),
                          "e.ico": ico(), "f.dng": dng()})  # fmt: skip
    code, _, err = machine.asked("--systemd", "--to", ".", "my images")
    assert code == 0, err
    units = machine.units("my images")
    environment = as_service(machine, units)
    command = [sys.executable, str(FENCE), "batchscan.service"]
    state = environment["STATE_DIRECTORY"]
    behind = [*command, state, "--"]
    refused = ran(
        [*behind, "/bin/touch", str(machine.home / "x")], env=environment, cwd=machine.home
    )
    assert "Read-only file system" in refused.stderr
    command = [os.fsdecode(word) for word in systemd_command(units["ExecStart"][0])]
    done = ran([*behind, *command], env=environment, cwd=machine.home)

    assert (done.returncode, done.stderr) == (0, "")
    assert report(Path(state) / "output")["files"]["scanned"] == 9
