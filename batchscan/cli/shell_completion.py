"""Completing a command line for a shell, by click's protocol.

The script that `batchscan completion` prints calls batchscan with `_BATCHSCAN_COMPLETE` set.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

from batchscan.cli.topics import topics
from batchscan.enums import Disposition

VARIABLE = "_BATCHSCAN_COMPLETE"
_PROGRAM = "batchscan"
_WORDS = re.compile(r"[a-z_-]+(\|[a-z_-]+)+")
_PATHS = {"FILE": "file", "FILE.zip": "file", "FILE.pem": "file", "PATH": "file", "DIR": "dir"}
_PATHS |= {"A": "file", "B": "file"}  # of `renditions join`
_DECISIONS = [word for word in Disposition if word is not Disposition.ALLOWED]


def script_for(shell: str) -> str:
    """The script that makes a shell ask.

    Args:
        shell: `bash`, `zsh` or `fish`.
    """
    source = _completer(shell, click.Command(_PROGRAM)).source()
    # Commas in descriptions and file names do not end them.
    return source.replace('string split ","', 'string split --max 1 ","')


def complete(
    instruction: str, summaries: Mapping[str, str], find: Callable[[str], click.Command]
) -> str:
    """Print completions of the command line that the shell has put into the environment.

    Args:
        instruction: `bash_complete`, or the same of another shell.
        summaries: of all commands but `scan`, by name.
        find: gives a command by its name.
    """
    shell = instruction.partition("_")[0]
    if get_completion_class(shell) is None:
        return ""
    completer = _completer(shell, click.Command(_PROGRAM))
    args, incomplete = completer.get_completion_args()
    names = {"scan": "scan folders of pictures", **summaries}
    first = args[0] if args else ""
    if first == "help":
        words = [*names.items(), *((topic, "") for topic in topics() if topic not in names)]
        items = _starting(words if len(args) == 1 else [], incomplete)
    else:
        name, rest = (first, args[1:]) if first in names else ("scan", args)
        items = _of_command(_completer(shell, find(name)), rest, incomplete)
        if name == "schedule" and not any(item.type == "plain" for item in items):
            items = _of_command(_completer(shell, find("scan")), rest, incomplete)
        if not args:
            others = [("help", "show the documentation"), ("--version", "show the version")]
            items = _starting([*names.items(), *others], incomplete) + items
    return "\n".join(map(completer.format_completion, items))


def _completer(shell: str, command: click.Command) -> ShellComplete:
    completion_class = get_completion_class(shell)
    assert completion_class is not None  # noqa: S101 - click has the three
    return completion_class(command, {}, _PROGRAM, VARIABLE)


def _of_command(
    completer: ShellComplete, args: Sequence[str], incomplete: str
) -> list[CompletionItem]:
    command = completer.cli
    if isinstance(command, click.Group) and args:
        command, args = command.commands.get(args[0], command), args[1:]
        completer = _completer(completer.name, command)
    if incomplete == "=" or args[-1:] == ["="]:  # bash makes three words of --check=full
        args, incomplete = (args if incomplete == "=" else args[:-1]), incomplete.lstrip("=")
    name, equals, value = incomplete.partition("=")
    option = _option(command, name if equals else args[-1] if args else "")
    if option is not None:
        items = _values(option, value if equals else incomplete)
        return (
            [_prefixed(item, name) for item in items if item.type == "plain"] if equals else items
        )
    if incomplete.startswith("-") or isinstance(command, click.Group):
        return completer.get_completions(list(args), incomplete)
    argument = _next_argument(command, args)
    return _values(argument, incomplete) if argument else []


def _option(command: click.Command, word: str) -> click.Option | None:
    """The option that a word names, if it takes a value."""
    for parameter in command.params:
        if isinstance(parameter, click.Option) and word in parameter.opts:
            return None if parameter.is_flag else parameter
    return None


def _next_argument(command: click.Command, args: Sequence[str]) -> click.Argument | None:
    """The argument that the next word belongs to, after these words."""
    given = 0
    words = iter(args)
    for word in words:
        if not word.startswith("-") or word == "-":
            given += 1
        elif _option(command, word):
            next(words, None)
    for argument in command.params:
        if isinstance(argument, click.Argument):
            if argument.nargs < 0 or given < argument.nargs:
                return argument
            given -= argument.nargs
    return None


def _values(parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    metavar = parameter.metavar or (parameter.name or "").upper()
    words = metavar.split(" ")[-1].strip("[]").removesuffix("...")
    if isinstance(parameter.type, click.Choice):
        return _starting(((str(choice), "") for choice in parameter.type.choices), incomplete)
    if words == "WORD":
        return _starting(((word, "") for word in _DECISIONS), incomplete)
    if _WORDS.fullmatch(words):
        return _starting(((word, "") for word in words.split("|")), incomplete)
    kind = _PATHS.get(words)
    return [CompletionItem(incomplete, type=kind)] if kind else []


def _starting(words: Iterable[tuple[str, str]], incomplete: str) -> list[CompletionItem]:
    return [
        CompletionItem(word, help=meaning or None)
        for word, meaning in words
        if word.startswith(incomplete)
    ]


def _prefixed(item: CompletionItem, option: str) -> CompletionItem:
    return CompletionItem(f"{option}={item.value}")
