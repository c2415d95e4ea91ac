"""Answers to a shell that asks how a command line goes on, by click's protocol.

The script that `batchscan completion` prints calls batchscan with `_BATCHSCAN_COMPLETE` set.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

from batchscan.cli.topics import topics

VARIABLE = "_BATCHSCAN_COMPLETE"
_PROGRAM = "batchscan"
_WORDS = re.compile(r"[a-z_-]+(\|[a-z_-]+)+")
_PATHS = {"FILE": "file", "FILE.zip": "file", "PATH": "file", "DIR": "dir"}


def script_for(shell: str) -> str:
    """The script that makes a shell ask.

    Args:
        shell: `bash`, `zsh` or `fish`.
    """
    return _completer(shell, click.Command(_PROGRAM)).source()


def complete(instruction: str, names: tuple[str, ...], find: Callable[[str], click.Command]) -> str:
    """What may come next on the command line that the shell has put into the environment.

    Args:
        instruction: `bash_complete`, or the same of another shell.
        names: of all commands.
        find: gives a command by its name.
    """
    shell = instruction.partition("_")[0]
    if get_completion_class(shell) is None:
        return ""
    args, incomplete = _completer(shell, click.Command(_PROGRAM)).get_completion_args()
    first = args[0] if args else ""
    if first == "help":
        items = _starting([*names, *topics()] if len(args) == 1 else [], incomplete)
    else:
        name, rest = (first, args[1:]) if first in names else ("scan", args)
        items = _of_command(_completer(shell, find(name)), rest, incomplete)
        if not args:
            items = _starting([*names, "help", "--version"], incomplete) + items
    return "\n".join(map(_completer(shell, click.Command(_PROGRAM)).format_completion, items))


def _completer(shell: str, command: click.Command) -> ShellComplete:
    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 - click has the three
    return found(command, {}, _PROGRAM, VARIABLE)


def _of_command(completer: ShellComplete, args: list[str], incomplete: str) -> list[CompletionItem]:
    option = _open_option(completer.cli, args)
    if option is not None:
        return _values(option, incomplete)
    items = completer.get_completions(args, incomplete)
    if items or incomplete.startswith("-"):
        return items
    return [CompletionItem(incomplete, type="file")]


def _open_option(command: click.Command, args: list[str]) -> click.Option | None:
    """The option whose value comes next, where the last word is one that takes a value."""
    if isinstance(command, click.Group) and args:
        command, args = command.commands.get(args[0], command), args[1:]
    for parameter in command.params:
        takes_value = isinstance(parameter, click.Option) and not parameter.is_flag
        if args and takes_value and args[-1] in parameter.opts:
            return parameter  # type: ignore[return-value]  # takes_value says so
    return None


def _values(option: click.Option, incomplete: str) -> list[CompletionItem]:
    metavar = option.metavar or ""
    if isinstance(option.type, click.Choice):
        return _starting([str(choice) for choice in option.type.choices], incomplete)
    if _WORDS.fullmatch(metavar):
        return _starting(metavar.split("|"), incomplete)
    kind = _PATHS.get(metavar)
    return [CompletionItem(incomplete, type=kind)] if kind else []


def _starting(words: list[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]
