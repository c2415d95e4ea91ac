from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from batchscan.cli.dispatch import COMMANDS
from batchscan.emulator import EmulatorConfig
from batchscan.emulator.threaded import serve_in_thread
from batchscan.util import system
from tests.support.pictures import png, tree

# What Windows lacks: modules, and names in `os`. What is not ours is imported before,
# for it has ways of its own there.
BARE = """
import asyncio, os, platform, shutil, signal, subprocess, sys, tempfile, uuid
import filelock, numpy, platformdirs.unix
for name in ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog", "uvloop"):
    sys.modules[name] = None
for name in ("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "fchown", "uname", "geteuid"):
    delattr(os, name)
for name in ("fchmod", "getuid", "getgid", "getpgid", "killpg", "mkfifo", "sysconf", "pread"):
    delattr(os, name)
for name in ("SIGHUP", "SIGKILL", "SIGUSR1", "SIGPIPE", "SIGALRM", "SIGCHLD", "pthread_sigmask"):
    delattr(signal, name)

def no_signals(*_):
    raise NotImplementedError

asyncio.SelectorEventLoop.add_signal_handler = no_signals
asyncio.SelectorEventLoop.remove_signal_handler = no_signals
"""


MAIN = "from batchscan.cli import main; sys.exit("


def bare(program: str, home) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"{BARE}\n{program}"],
        env={"PATH": os.environ["PATH"], "HOME": str(home), "NO_COLOR": "1"},
        cwd=home, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.mark.slow
def test_the_package_and_every_command_are_imported_without_what_windows_lacks(tmp_path):
    modules = [f"batchscan.cli.{name}" for name in COMMANDS]
    modules += ["batchscan.commands.export", "batchscan.review.server", "batchscan.run"]
    done = bare(
        f"""
import importlib, batchscan
for name in batchscan.__all__:
    getattr(batchscan, name)
for name in {modules!r}:
    importlib.import_module(name)
""",
        tmp_path,
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_reading_commands_work_without_what_windows_lacks(tmp_path):
    tree(tmp_path / "images", {"a.png": png(16, 16, 1), "b.txt": b"x"})
    with serve_in_thread(EmulatorConfig(search=False)) as emulator:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "COPYLEAKS_EMAIL": "me@example.com",
            "COPYLEAKS_API_KEY": "key",
            "COPYLEAKS_API_URL": emulator.url,
            "COPYLEAKS_IDENTITY_URL": emulator.url,
        }
        scan = [sys.executable, "-m", "batchscan", "images"]
        subprocess.run(scan, env=environment, cwd=tmp_path, check=True, capture_output=True)
    for words in (
        ["export"],
        ["report", "--all", "--html", "all.html"],
        ["state", "check"],
        ["allow", "add", "a.example", "--reason", "x"],
        ["help", "files"],
        ["stats"],
        ["renditions", "list"],
        ["state", "backup", "copy.sqlite3"],
    ):
        done = bare(f"{MAIN}main({words!r}))", tmp_path)
        assert done.returncode == 0, (words, done.stderr)
    review_ends_at_a_signal(tmp_path)


def review_ends_at_a_signal(home) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", f"{BARE}\n{MAIN}main(['review', '--no-open']))"],
        env={"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONUNBUFFERED": "1"},
        cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as review:  # fmt: skip
        assert review.stdout is not None
        try:
            address = urlsplit(review.stdout.readline().strip())
            asked = http.client.HTTPConnection(address.netloc)
            asked.request("GET", f"{address.path}?{address.query}")
            status = asked.getresponse().status
            asked.close()
            review.send_signal(signal.SIGINT)
            _, err = review.communicate(timeout=100)
        finally:
            review.kill()
    assert status == 303  # to the page, with a cookie
    assert review.returncode == 0, err


def test_a_scan_says_what_it_needs_and_shows_no_traceback(tmp_path):
    tree(tmp_path / "images", {"a.png": png(16, 16, 1)})
    done = bare("from batchscan.cli import main; sys.exit(main(['-n', './images']))", tmp_path)

    assert done.returncode == 2
    assert "a scan needs Linux or macOS" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_lock_is_held_until_the_folder_is_closed(tmp_path):
    first, second = (os.open(tmp_path, os.O_RDONLY | system.O_DIRECTORY) for _ in range(2))
    system.lock(first, wait=False)
    with pytest.raises(BlockingIOError):
        system.lock(second, wait=False)
    os.close(first)

    system.lock(second, wait=False)
    os.close(second)
