r"""Quoting words for systemd units and crontabs.

systemd removes quotes and `\`, then replaces `%x` and, in commands, `$x`. cron ends a command at `%`
unless a `\` precedes it, which it removes; `sh` runs the rest.
"""

from __future__ import annotations

import re
import shlex

from batchscan.errors import UsageError
from batchscan.util.escaping import printable

_PLAIN = re.compile(r"[A-Za-z0-9_./:=,@+-]+")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\udc80-\udcff\"\\]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NEEDS_ESCAPE = re.compile(r"[\x00-\x1f\x7f\udc80-\udcff]")


def command_word(word: str) -> str:
    """A word of `ExecStart=` after the first, which is a program and takes no `$`."""
    return unit_word(word.replace("$", "$$"))


def unit_word(word: str) -> str:
    """A word of a unit, quoted if necessary."""
    safe = word.replace("%", "%%")
    return safe if _PLAIN.fullmatch(safe) else f'"{_UNSAFE.sub(_escaped, safe)}"'


def unit_path(path: str) -> str:
    """A path in a list of paths, where systemd has no escapes.

    Raises:
        UsageError: it has characters that need one.
    """
    _refuse_odd(path)
    return unit_word(path)


def unit_rest(text: str) -> str:
    r"""Text up to the end of a line of a unit, where quotes and `\\` have no meaning.

    Raises:
        UsageError: it cannot be written there.
    """
    _refuse_odd(text)
    if text != text.strip() or text.endswith("\\"):
        raise UsageError(
            f"'{printable(text)}' cannot be written in a systemd unit", advice="rename it"
        )
    return text.replace("%", "%%")


def is_plain_path(path: str) -> bool:
    """Whether a path needs no escapes in a list of paths."""
    return _NEEDS_ESCAPE.search(path) is None


def cron_word(word: str) -> str:
    r"""A word of a crontab's command.

    Some versions of cron read `\\` as `\`, some do not; so no `\` precedes another one or `\%`.

    Raises:
        UsageError: it has control characters.
    """
    if _CONTROL.search(word):
        raise UsageError(
            f"'{printable(word)}' cannot be written in a crontab", advice="use --systemd"
        )
    return shlex.quote(word).replace("\\", "\\''").replace("%", "\\%")


def _refuse_odd(text: str) -> None:
    if not is_plain_path(text):
        raise UsageError(
            f"'{printable(text)}' cannot be written in a systemd unit", advice="rename it"
        )


def _escaped(match: re.Match[str]) -> str:
    char = match[0]
    if char in '"\\':
        return f"\\{char}"
    return f"\\x{ord(char) & 0xFF:02x}"  # of U+DC80 to U+DCFF, the byte that they mean
