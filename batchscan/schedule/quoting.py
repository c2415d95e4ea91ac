r"""How words are quoted in units and crontabs, so that they come out as they went in.

systemd takes quotes and `\` away, then puts something in the place of `%x`, and, in a command, of
`$x`. cron ends a command at `%`, unless a `\` precedes it, which it takes away; what is left
goes to `sh`.
"""

from __future__ import annotations

import re
import shlex

from batchscan.errors import UsageError
from batchscan.util.escaping import printable

_PLAIN = re.compile(r"[A-Za-z0-9_./:=,@+-]+")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\udc80-\udcff\"\\]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNTELLABLE = re.compile(r"[\x00-\x1f\x7f\udc80-\udcff]")


def command_word(word: str) -> str:
    """A word of `ExecStart=` after the first, which is a program and takes no `$`."""
    return unit_word(word.replace("$", "$$"))


def unit_word(word: str) -> str:
    """A word of a unit, in quotes where they are needed."""
    safe = word.replace("%", "%%")
    return safe if _PLAIN.fullmatch(safe) else f'"{_UNSAFE.sub(_escaped, safe)}"'


def unit_path(path: str) -> str:
    """A path in a list of paths, where systemd knows no codes for odd characters.

    Raises:
        UsageError: it holds such characters.
    """
    _refuse_odd(path)
    return unit_word(path)


def unit_rest(text: str) -> str:
    r"""Text up to the end of a line of a unit, where quotes and `\\` stand for themselves.

    Raises:
        UsageError: it cannot be written there.
    """
    _refuse_odd(text)
    if text != text.strip() or text.endswith("\\"):
        raise UsageError(
            f"'{printable(text)}' cannot be written in a systemd unit", advice="rename it"
        )
    return text.replace("%", "%%")


def is_tellable(path: str) -> bool:
    """Whether a path can be written in a list of paths."""
    return _UNTELLABLE.search(path) is None


def cron_word(word: str) -> str:
    r"""A word of a crontab's command.

    Some crons take `\\` for `\`, some do not; so no `\` precedes another one or `\%`.

    Raises:
        UsageError: it holds control characters.
    """
    if _CONTROL.search(word):
        raise UsageError(
            f"'{printable(word)}' cannot be written in a crontab", advice="use --systemd"
        )
    return shlex.quote(word).replace("\\", "\\''").replace("%", "\\%")


def _refuse_odd(text: str) -> None:
    if not is_tellable(text):
        raise UsageError(
            f"'{printable(text)}' cannot be written in a systemd unit", advice="rename it"
        )


def _escaped(found: re.Match[str]) -> str:
    char = found[0]
    if char in '"\\':
        return f"\\{char}"
    return f"\\x{ord(char) & 0xFF:02x}"  # of U+DC80 to U+DCFF, the byte that they mean
