"""Finding the command that the first word of the command line names."""

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

SUMMARIES = {
    "demo": "try it on this machine with sample pictures, without an account",
    "init": "write a settings file and a file for the API key",
    "emulator": "a server that behaves like the API, to try batchscan out",
    "report": "the report of a run: text, JSON, HTML, CSV, JUnit, Markdown",
    "export": "everything in the ledger, one line for each picture",
    "stats": "what was found, decided and taken down, by week or month",
    "review": "look at matches and decide about them, in the browser",
    "renditions": "which files are versions of one picture",
    "mark": "record decisions about matches",
    "allow": "rules for copies that may stay",
    "takedown": "draft takedown notices to sites",
    "recheck": "ask the sites whether copies are still there; costs nothing",
    "evidence": "pack answers and history into a file to hand over",
    "alerts": "messages about new matches: test, pending, send",
    "credits": "the credits left on the account",
    "doctor": "check settings, folders, login, clock and balance",
    "schedule": "scan regularly: cron, systemd or launchd",
    "state": "maintain the ledger: statistics, check, backup, prune",
    "completion": "tab completion for bash, zsh and fish",
}
COMMANDS = ("scan", *SUMMARIES)
_HELP = "help"
_HELP_FLAGS = ("-h", "--help")
_COMPLETE = "_BATCHSCAN_COMPLETE"  # set by the script of `batchscan completion`
_NEAR = 0.7  # of difflib: one letter more, less or other in a word of four

_SHORT_HELP = """\
Usage: batchscan [OPTIONS] PATH...
       batchscan COMMAND [OPTIONS]

Finds copies of your pictures on the web.

  batchscan demo          try it on this machine, without an account
  batchscan init          write a settings file and a file for the API key
  batchscan -n ./images   dry run: what a scan would send, and its price
  batchscan ./images      scan

Commands:
{commands}

`batchscan help COMMAND` shows a command's options, `batchscan help scan` those
of a scan, `batchscan --version` the version. `batchscan help TOPIC` shows the
documentation:
{topics}
"""


def dispatch(words: list[str]) -> int:
    """Run the command that the first word names, otherwise a scan; returns the exit code."""
    code = run_guarded(_complete if _COMPLETE in os.environ else lambda: _run(words))
    finish_stderr()
    return code


def _complete() -> int:
    from batchscan.cli.shell_completion import complete  # noqa: PLC0415 - only a shell needs it

    print_data(complete(os.environ[_COMPLETE], SUMMARIES, find_command))
    return 0


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
    """Print a page of the documentation, the options of a command, both, or a list of them.

    Raises:
        UsageError: there is no such command or topic.
    """
    if not words or words[0] in _HELP_FLAGS:
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
    """Reject a mistyped command, before credentials are needed.

    Raises:
        UsageError: the word is not a path, and nearly the name of a command.
    """
    is_path = os.sep in word or "://" in word or os.path.lexists(word)
    if not (is_path or word.startswith("-")) and _nearest(word, COMMANDS):
        raise _no_command(word, COMMANDS)


def refuse_late_command(word: str) -> None:
    """Reject a command's name after options, where it would be a path to scan.

    Raises:
        UsageError: the word is not a path, and the name of a command.
    """
    if word in (*COMMANDS, _HELP) and not os.path.lexists(word):
        raise UsageError(
            f"no path is called '{word}'",
            advice=f"a command is the first word, and its options follow: `batchscan {word}`",
        )


def _no_command(word: str, names: tuple[str, ...]) -> UsageError:
    nearest = _nearest(word, names)
    if nearest is None:
        advice = "see `batchscan help`"
    elif names is COMMANDS or nearest == _HELP:
        advice = f"did you mean `batchscan {nearest}`?"
    else:
        advice = f"did you mean `batchscan help {nearest}`?"
    kind = "path" if names is COMMANDS else "topic"
    return UsageError(f"no command and no {kind} is called '{printable(word)}'", advice=advice)


def _nearest(word: str, names: tuple[str, ...]) -> str | None:
    close = difflib.get_close_matches(word.lower(), (*names, _HELP), 1, _NEAR)
    return close[0] if close else None


def _invoke(name: str, words: list[str]) -> int:
    # standalone_mode off: exceptions come to our one handler, and the callback's value to us
    return int(find_command(name).main(words, _program(name), standalone_mode=False) or 0)


def find_command(name: str) -> click.Command:
    """The command with this name."""
    command: click.Command = importlib.import_module(f"batchscan.cli.{name}").command
    return command


def _program(name: str) -> str:
    return "batchscan" if name == "scan" else f"batchscan {name}"


def _options_of(name: str) -> str:
    command, program = find_command(name), _program(name)
    with command.make_context(program, ["--help"], resilient_parsing=True) as context:
        return command.get_help(context) + "\n"


def _short_help() -> str:
    from batchscan.cli.topics import topics  # noqa: PLC0415 - as above

    width = max(map(len, SUMMARIES)) + 2
    rows = [f"  {name:{width}}{summary}" for name, summary in SUMMARIES.items()]
    pages = textwrap.wrap(", ".join(topics()), 76, break_on_hyphens=False)
    indented = "\n".join(f"  {line}" for line in pages)
    return _SHORT_HELP.format(commands="\n".join(rows), topics=indented)
