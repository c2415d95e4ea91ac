"""The command line as a process with secrets in its environment."""

from __future__ import annotations

import asyncio
import os
import sys

from tests.support import processes

KEY = "k3y-0f-the-acc0unt-7f31"
PROGRAM = (sys.executable, "-P", "-m", "batchscan")


def command(bench, *words: str) -> tuple[list[str], dict[str, str]]:
    """A command line for a user whose key stands in the environment, and that environment."""
    folder = bench.folder
    folders = ("-o", str(folder / "output"), "--state", str(folder / "state"))
    environment = {
        **{name: value for name, value in os.environ.items() if name.startswith("COV")},
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "COPYLEAKS_EMAIL": "me@example.com",
        "COPYLEAKS_API_KEY": KEY,
        "COPYLEAKS_API_URL": bench.emulator.url,
        "COPYLEAKS_IDENTITY_URL": bench.emulator.url,
    }
    return [*PROGRAM, *words, *folders], environment


async def started(bench, *words: str) -> asyncio.subprocess.Process:
    line, environment = command(bench, *words)
    return await asyncio.create_subprocess_exec(
        *line, env=environment, cwd="/", stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def said(bench, *words: str) -> tuple[int, str, str]:
    """How the command ends, and what it says on stdout and stderr."""
    line, environment = command(bench, *words)
    return await processes.command(line[len(PROGRAM) :], environment)


async def run(
    bench, *words: str, umask: int = 0o022, given: dict[str, str] | None = None
) -> tuple[int, str]:
    line, usual = command(bench, *words)
    process = await asyncio.create_subprocess_exec(
        *line, env=usual | (given or {}), cwd="/", umask=umask,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, err = await process.communicate()
    return process.returncode or 0, err.decode()
