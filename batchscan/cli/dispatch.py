"""Which command the first word means."""

from __future__ import annotations

import importlib

import click

from batchscan.cli.ending import guarded
from batchscan.cli.terminal import emit, finish_stderr, say
from batchscan.errors import UsageError

COMMANDS = (
    "scan",
    "demo",
    "emulator",
    "report",
    "export",
    "mark",
    "allow",
    "takedown",
    "evidence",
    "alerts",
    "credits",
    "doctor",
    "schedule",
    "state",
)


def dispatch(words: list[str]) -> int:
    """Run the command that the first word names, or else a scan; gives the exit code."""
    code = guarded(lambda: _run(words))
    finish_stderr()
    return code


def _run(words: list[str]) -> int:
    if not words:
        say(_help())
        return UsageError.exit_code
    first = words[0]
    if first == "--version":
        from batchscan import about  # noqa: PLC0415 - slow, and only this needs it

        emit(f"batchscan {about.version()}")
        return 0
    if first in COMMANDS:
        return _invoke(first, words[1:])
    return _invoke("scan", words)


def _invoke(name: str, words: list[str]) -> int:
    # standalone_mode off: exceptions come to our one handler, and the callback's value to us
    return int(_command(name).main(words, _program(name), standalone_mode=False) or 0)


def _command(name: str) -> click.Command:
    command: click.Command = importlib.import_module(f"batchscan.cli.{name}").command
    return command


def _program(name: str) -> str:
    return "batchscan" if name == "scan" else f"batchscan {name}"


def _help() -> str:
    command = _command("scan")
    with command.make_context(_program("scan"), [], resilient_parsing=True) as context:
        return command.get_help(context)
