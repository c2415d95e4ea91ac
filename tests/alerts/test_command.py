from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from batchscan.alerts import DeliveryFailure, send_once
from batchscan.alerts.command import CommandTarget
from batchscan.alerts.interface import RetryPolicy
from tests.support.processes import until

BODY = b'{"schema":1,"id":"0123","matches":[]}'
AROUND = {"PATH": "/usr/bin:/bin", "HERE": "yes"}


def gone(pid: int) -> bool:
    """Whether a process has ended; somebody may still have to look after its body."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    return stat.is_file() and ") Z " in stat.read_text()


async def ran(*words: str, most: float = 30.0, body: bytes = BODY) -> DeliveryFailure | None:
    return await send_once(CommandTarget(words, AROUND), "0123", body, asyncio.Event(), most)


async def test_a_command_gets_the_message_on_stdin_and_only_the_given_environment(tmp_path):
    script = "cat > $0/message; env > $0/env; ps -o pgid= -p $$ > $0/group || true"
    assert await ran("/bin/sh", "-c", script, str(tmp_path)) is None

    assert (tmp_path / "message").read_bytes() == BODY
    around = (tmp_path / "env").read_text().splitlines()
    assert "HERE=yes" in around
    assert not [line for line in around if line.startswith(("HOME=", "VIRTUAL_ENV="))]


async def test_a_command_gets_its_arguments_without_a_shell(tmp_path):
    script = "import sys; open(sys.argv[1], 'w').write(repr(sys.argv[2:]))"
    out = tmp_path / "words"
    odd = ["a b", "$HOME", "*", "; touch x", "'", "\n"]
    assert await ran(sys.executable, "-c", script, str(out), *odd) is None
    assert out.read_text() == repr(odd)


async def test_a_failed_command_is_reported_with_its_code_and_last_output():
    trouble = await ran(
        "/bin/sh", "-c", "yes noise | head -n 100000 >&2; echo >&2 'no route'; exit 3"
    )
    assert trouble is not None
    assert trouble.then is RetryPolicy.TRY_AGAIN
    assert trouble.what.startswith("exit code 3: ")
    assert trouble.what.endswith("noise no route")
    assert len(trouble.what) < 300


async def test_the_last_output_of_a_command_has_no_terminal_escapes():
    trouble = await ran("/bin/sh", "-c", r"printf '\033[2J\377\342\200\256x' >&2; exit 1")
    assert trouble is not None
    assert trouble.what.isprintable()


async def test_a_command_may_leave_its_stdin_unread_whatever_the_size():
    assert await ran("/bin/true", body=b"x" * 2_000_000) is None


async def test_a_killed_command_is_reported_as_killed():
    assert await ran("/bin/sh", "-c", "kill -9 $$") == DeliveryFailure("killed by signal 9")


async def test_a_command_that_cannot_be_started_is_not_tried_again(tmp_path):
    script = tmp_path / "no-interpreter"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o700)
    trouble = await ran(str(script))
    assert trouble is not None
    assert (trouble.then, trouble.what[:31]) == (
        RetryPolicy.NEXT_RUN,
        "the command cannot be started: ",
    )


async def test_a_command_that_takes_too_long_is_ended_with_all_it_started(tmp_path):
    pid = tmp_path / "pid"
    script = f"sleep 60 & echo $! > {pid}; wait"
    started = time.monotonic()
    trouble = await ran("/bin/sh", "-c", script, most=1.0)

    assert trouble == DeliveryFailure("no result after 1 s")
    assert time.monotonic() - started < 60
    await until(lambda: gone(int(pid.read_text())))


async def test_what_a_command_leaves_running_holds_nobody_up(tmp_path):
    started = time.monotonic()
    assert await ran("/bin/sh", "-c", f"sleep 90 & echo $! > {tmp_path}/pid") is None
    trouble = await ran("/bin/sh", "-c", "sleep 90 & echo >&2 failed; exit 2")

    assert trouble == DeliveryFailure("exit code 2: failed")
    assert time.monotonic() - started < 90
    os.kill(int((tmp_path / "pid").read_text()), 9)  # it is still there, as it was meant to be
