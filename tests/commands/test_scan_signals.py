from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time

import pytest

PROGRAM = """
import asyncio, signal
from batchscan.commands.scan import handle_stop_signals

async def main():
    asked = asyncio.Event()
    with handle_stop_signals(lambda signum: (print("asked", signum, flush=True), asked.set())):
        print("ready", flush=True)
        await asked.wait()
        {after}
    print("ended", flush=True)

asyncio.run(main())
"""


def start(after="", **kwargs):
    code = PROGRAM.format(after=after)
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **kwargs,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.slow
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_asks_the_run_to_stop_and_lets_it_finish(signum):
    process = start()
    process.send_signal(signum)
    out, err = process.communicate(timeout=120)
    assert out == f"asked {signum.value}\nended\n"
    assert "finishing what is under way" in err
    assert process.returncode == 0


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_ends_the_process_at_once(signum):
    process = start("await asyncio.sleep(60)")
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == f"asked {signal.SIGINT.value}\n"
    process.send_signal(signum)
    out, _ = process.communicate(timeout=120)
    assert out == ""
    assert process.returncode == 128 + signum


@pytest.mark.slow
@pytest.mark.parametrize("ignored", ["SIGHUP", "SIGINT", "SIGTERM"])
def test_a_signal_that_was_ignored_at_the_start_stays_ignored(ignored):
    """As nohup does it with SIGHUP, and a shell's `&` with SIGINT."""
    ignore = f"import signal; signal.signal(signal.{ignored}, signal.SIG_IGN)\n"
    process = subprocess.Popen(
        [sys.executable, "-c", ignore + PROGRAM.format(after="")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.Signals[ignored])
    other = signal.SIGTERM if ignored != "SIGTERM" else signal.SIGINT
    process.send_signal(other)
    out, _ = process.communicate(timeout=120)
    assert out == f"asked {other.value}\nended\n"


def test_on_a_terminal_the_message_is_on_a_line_of_its_own():
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(after="")],
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    said = os.read(ours, 1000)
    os.close(ours)
    assert said.startswith(b"\r\nbatchscan: finishing")


@pytest.mark.slow
@pytest.mark.parametrize("after", [0.1, 0.2, 0.3, 0.5])
def test_two_interrupts_while_a_command_starts_leave_no_traceback(tmp_path, after):
    process = subprocess.Popen(
        [sys.executable, "-m", "batchscan", "report", "--state", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)

    # Before our first line runs, Python answers for itself
    assert "Traceback" not in err or "batchscan/cli" not in err
    # 9 where it had ended already: there is no ledger; 1 where Python was still loading its own
    assert process.returncode in (130, 2, 9, -signal.SIGINT) or "batchscan/cli" not in err
