"""Which command the first word means."""

from __future__ import annotations

import difflib
import importlib
import os
import textwrap

import click

from batchscan.console.exit import run_guarded
from batchscan.console.terminal import finish_stderr, print_data, print_status
from batchscan.errors import UsageError
from batchscan.util.escaping import printable

COMMANDS = (
    "scan",
    "demo",
    "emulator",
    "report",
    "export",
    "stats",
    "review",
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


_SUMMARIES = {
    "demo": "the whole job on this machine, with sample pictures and a report",
    "emulator": "the vendor's API on this machine, for rehearsals",
    "report": "a run's report again: text, JSON, HTML, CSV, JUnit, Markdown",
    "export": "everything that is known, a line for each picture",
    "stats": "what was found, decided and taken down, by week or month",
    "review": "decide about matches by looking, in the browser",
    "mark": "what you decided about matches",
    "allow": "copies that may stay: rules about sites and pictures",
    "takedown": "drafts of notices to sites",
    "evidence": "answers and history in a file that can be handed over",
    "alerts": "messages about new matches",
    "credits": "what is left on the account",
    "doctor": "whether settings, folders and account are as they should be",
    "schedule": "scan every night: lines for cron, units for systemd",
    "state": "look after the ledger: statistics, check, backup, prune",
}
_HELP = "help"
_NEAR = 0.7  # of difflib: one letter more, less or other in a word of four

_SHORT_HELP = """\
Usage: batchscan [OPTIONS] PATH...
       batchscan COMMAND [OPTIONS]

Finds out where on the web copies of your pictures turned up.

  batchscan demo          see the whole job on this machine, without an account
  batchscan doctor        check the settings and the account
  batchscan -n ./images   what a scan would send, and what it would cost
  batchscan ./images      scan

Commands:
{commands}

`batchscan help COMMAND` shows a command's options, `batchscan help scan` those
of a scan. `batchscan help TOPIC` shows the documentation:
{topics}
"""


def dispatch(words: list[str]) -> int:
    """Run the command that the first word names, or else a scan; gives the exit code."""
    code = run_guarded(lambda: _run(words))
    finish_stderr()
    return code


def _run(words: list[str]) -> int:
    if not words:
        print_status(_short_help().rstrip())
        return UsageError.exit_code
    first = words[0]
    if first == "--version":
        from batchscan import version  # noqa: PLC0415 - slow, and only this needs it

        print_data(f"batchscan {version.version()}")
        return 0
    if first in COMMANDS:
        return _invoke(first, words[1:])
    if first == _HELP:
        return _show_help(words[1:])
    _refuse_typing_error(first)
    return _invoke("scan", words)


def _show_help(words: list[str]) -> int:
    """A page of the documentation, the options of a command, both, or a list of them.

    Raises:
        UsageError: there is no such command or topic.
    """
    if not words:
        print_data(_short_help())
        return 0
    from batchscan.cli import topics  # noqa: PLC0415 - a scan does without

    word, *rest = words
    topic = None if rest else topics.find_topic(word)
    if topic is None and word not in COMMANDS:
        raise _no_command(word, (*COMMANDS, *topics.topics()))
    if topic is None:
        return _invoke(word, [*rest, "--help"])
    topics.show_page(topic, f"\n{_options_of(topic)}" if topic in COMMANDS else "")
    return 0


def _refuse_typing_error(word: str) -> None:
    """Refuse a word that is no path and nearly a command, before credentials are asked for.

    Raises:
        UsageError: it names the command.
    """
    is_path = os.sep in word or "://" in word or os.path.lexists(word)
    if not (is_path or word.startswith("-")) and _nearest(word, COMMANDS):
        raise _no_command(word, COMMANDS)


def _no_command(word: str, known: tuple[str, ...]) -> UsageError:
    nearest = _nearest(word, known)
    if nearest is None:
        advice = "see `batchscan help`"
    elif nearest in (*COMMANDS, _HELP):
        advice = f"did you mean `batchscan {nearest}`?"
    else:
        advice = f"did you mean `batchscan help {nearest}`?"
    return UsageError(f"there is no command and no path '{printable(word)}'", advice=advice)


def _nearest(word: str, known: tuple[str, ...]) -> str | None:
    close = difflib.get_close_matches(word.lower(), (*known, _HELP), 1, _NEAR)
    return close[0] if close else None


def _invoke(name: str, words: list[str]) -> int:
    # standalone_mode off: exceptions come to our one handler, and the callback's value to us
    return int(_command(name).main(words, _program(name), standalone_mode=False) or 0)


def _command(name: str) -> click.Command:
    command: click.Command = importlib.import_module(f"batchscan.cli.{name}").command
    return command


def _program(name: str) -> str:
    return "batchscan" if name == "scan" else f"batchscan {name}"


def _options_of(name: str) -> str:
    command, program = _command(name), _program(name)
    with command.make_context(program, ["--help"], resilient_parsing=True) as context:
        return command.get_help(context) + "\n"


def _short_help() -> str:
    from batchscan.cli.topics import topics  # noqa: PLC0415 - as above

    names = [name for name in COMMANDS if name != "scan"]
    width = max(map(len, names)) + 2
    rows = [f"  {name:{width}}{_SUMMARIES[name]}" for name in names]
    pages = textwrap.wrap(", ".join(topics()), 76, break_on_hyphens=False)
    indented = "\n".join(f"  {line}" for line in pages)
    return _SHORT_HELP.format(commands="\n".join(rows), topics=indented)
