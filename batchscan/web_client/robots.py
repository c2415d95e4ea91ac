"""robots.txt (RFC 9309): the longest rule of the group for our user agent decides.

Python's own reader knows no wildcards and takes the first rule; patterns are matched without
regular expressions, which other people's patterns could make arbitrarily slow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

PRODUCT: Final = "batchscan"
"""The name of batchscan in a robots.txt."""

MAX_BYTES: Final = 512_000
"""The most bytes of a robots.txt that are read."""

MAX_RULES: Final = 10_000
_ESCAPE: Final = re.compile(r"%([0-9a-fA-F]{2})")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@dataclass(frozen=True, slots=True)
class _RobotsRule:
    parts: tuple[str, ...]  # of the pattern, between its asterisks
    anchored: bool  # it ends with $
    allowed: bool
    length: int

    def covers(self, path: str) -> bool:
        first, *rest = self.parts
        if not path.startswith(first):
            return False
        at = len(first)
        if not rest:
            return not self.anchored or at == len(path)
        *middle, last = rest
        for part in middle:
            position = path.find(part, at)
            if position < 0:
                return False
            at = position + len(part)
        if self.anchored:
            return len(path) - len(last) >= at and path.endswith(last)
        return path.find(last, at) >= 0


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules of a site's robots.txt that apply to batchscan."""

    rules: tuple[_RobotsRule, ...] = ()

    @classmethod
    def read(cls, text: str) -> Robots:
        """Read a file; lines that cannot be understood say nothing."""
        ours: list[_RobotsRule] = []
        anyone: list[_RobotsRule] = []
        named = False
        for agents, rules in _groups(text):
            if PRODUCT in agents:
                named = True
                ours += rules
            if "*" in agents:
                anyone += rules
        return cls(tuple((ours if named else anyone)[:MAX_RULES]))

    def allows(self, path: str) -> bool:
        """Whether an address may be asked for.

        Args:
            path: path and query, as they are sent.
        """
        path = _normalised(path)
        best = max(
            ((rule.length, rule.allowed) for rule in self.rules if rule.covers(path)),
            default=(0, True),
        )
        return best[1]


def _groups(text: str) -> Iterator[tuple[set[str], list[_RobotsRule]]]:
    agents: set[str] = set()
    rules: list[_RobotsRule] = []
    naming = False  # whether the last line named an agent
    for key, value in _fields(text.removeprefix("\ufeff").splitlines()):
        if key == "user-agent":
            if not naming:
                yield agents, rules
                agents, rules = set(), []
            agents.add(value.split("/")[0].strip().lower())
            naming = True
        elif key in ("allow", "disallow"):
            naming = False
            if value and agents:
                rules.append(_rule(value, allowed=key == "allow"))
    yield agents, rules


def _fields(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        key, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield key.strip().lower(), value.strip()


def _rule(value: str, *, allowed: bool) -> _RobotsRule:
    anchored = value.endswith("$")
    pattern = _normalised(value.removesuffix("$"))
    return _RobotsRule(tuple(pattern.split("*")), anchored, allowed, len(value))


def _normalised(path: str) -> str:
    """The same for all ways to write a path."""
    path = quote(path, safe="%!$&'()*+,;=:@/?~-._[]", errors="replace")
    return _ESCAPE.sub(_unescape, path)


def _unescape(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()
