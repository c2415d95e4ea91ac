"""The manual page batchscan(1), made of the same help as `--help`; the build calls this."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import click

from batchscan.cli.help import HelpCommand, HelpGroup

_NAME = "find out where on the web copies of your pictures turned up"
_INTRO = """\
The first word is a command; everything else is a scan. `batchscan help TOPIC` shows the
documentation, one topic a page."""


def man_page(version: str, summaries: dict[str, str], find: Callable[[str], click.Command]) -> str:
    """The page as troff.

    Args:
        version: of batchscan.
        summaries: what each command is for, by its name, in the order of the page.
        find: gives a command by its name.
    """
    lines = [
        f'.TH BATCHSCAN 1 "" "batchscan {_escape(version)}" "User Commands"',
        ".SH NAME",
        f"batchscan \\- {_escape(_NAME)}",
        ".SH SYNOPSIS",
        ".B batchscan",
        "[OPTIONS] PATH...",
        ".br",
        ".B batchscan",
        "COMMAND [OPTIONS]",
        ".br",
        ".B batchscan",
        "\\-\\-version",
        ".SH DESCRIPTION",
        _escape(" ".join(_INTRO.split())),
    ]
    for name, summary in summaries.items():
        lines += [f'.SS "batchscan {name}"', _escape(summary)]
    for name in ("scan", *summaries):
        for title, command in _pages(name, find(name)):
            lines += [f'.SH "{title.upper()}"', *_command(title, command)]
    return "\n".join(lines) + "\n"


def _pages(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    title = "batchscan" if name == "scan" else f"batchscan {name}"
    if isinstance(command, HelpGroup):
        for page_name, page in command.commands.items():
            yield f"{title} {page_name}", page
    else:
        yield title, command


def _command(title: str, command: click.Command) -> Iterator[str]:
    with command.make_context(title, [], resilient_parsing=True) as context:
        usage = " ".join(command.collect_usage_pieces(context))
        yield f".B {_escape(title)}\n{_escape(usage)}"
        for paragraph in (command.help or "").split("\n\n"):
            yield f".PP\n{_escape(' '.join(paragraph.split()))}"
        for parameter in command.get_params(context):
            if record := parameter.get_help_record(context):
                yield f".TP\n.B {_escape(record[0])}\n{_escape(record[1])}"
    if isinstance(command, HelpCommand):
        for heading, rows in command.sections:
            yield f".PP\n.B {_escape(heading)}:"
            for word, meaning in rows:
                yield f".TP\n.B {_escape(word)}\n{_escape(meaning)}"


def _escape(text: str) -> str:
    """Text that troff shows as it is: no escapes, no requests at the begin of a line."""
    safe = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^(?=[.'])", r"\\&", safe, flags=re.MULTILINE)
