"""Ignore rules: `--include`, `--exclude`, `.batchscanignore`, and the defaults.

The syntax is that of gitignore. As in git the strongest pattern decides: the command line, then
the `.batchscanignore` nearest to the file, then those above it, then the defaults. Nothing below
an excluded folder can be included again.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from batchscan.errors import UsageError
from batchscan.path_patterns import InvalidPattern, expression_of, matchable, patterns_of
from batchscan.util import system
from batchscan.util.escaping import printable
from batchscan.walk.system_names import NamedBy, is_system_file, is_system_folder

IGNORE_FILE = ".batchscanignore"
MAX_IGNORE_FILE = 1 << 20  # bytes; larger ones were not written by hand


class Pattern(NamedTuple):
    """A pattern, and whether it excludes or includes what it matches."""

    pattern: re.Pattern[str]
    leaves_out: bool


class IgnoreFile(NamedTuple):
    """Patterns, and the folder that their paths are relative to.

    The walk decides on every folder on the way, so a pattern must match a path itself and not a
    folder above it: after `a*` and `!b/` git excludes `b/a`. pathspec matches whole paths and
    would not, so only its translation of patterns is used.
    """

    start: int  # characters of a path relative to the root that are above the patterns' folder
    patterns: tuple[Pattern, ...]  # the last one first: it is the strongest

    @classmethod
    def of(cls, start: int, lines: Iterable[str]) -> IgnoreFile:
        """Compile patterns.

        Raises:
            InvalidPattern: one of them is invalid.
        """
        opinions = [
            Pattern(expression_of(pattern), bool(pattern.include))
            for line in lines
            for pattern in patterns_of(line)
        ]
        return cls(start, tuple(reversed(opinions)))

    def opinion(self, relative: str) -> bool | None:
        """True if a path is matched, False if by a negation, None if it is not matched."""
        path = relative[self.start :]
        for pattern, leaves_out in self.patterns:
            if pattern.fullmatch(path):
                return leaves_out
        return None


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The rules for one folder; `within` returns those for a folder below."""

    included: GitIgnoreSpec | None = None
    named: NamedBy = field(
        default_factory=NamedBy
    )  # of `--include`, which also override the defaults
    ordered: IgnoreFile | None = None  # of `--exclude`
    levels: tuple[IgnoreFile, ...] = ()  # of ignore files, the nearest first
    plain: bool = True  # only the defaults apply, so that a name alone decides

    @classmethod
    def of(cls, include: Iterable[str], exclude: Iterable[str]) -> IgnoreRules:
        """Compile the command line's patterns.

        Raises:
            UsageError: a pattern is invalid; the message quotes it.
        """
        included, excluded = tuple(include), tuple(exclude)
        from_flag = _from_flag("--include", included)
        _from_flag("--exclude", excluded)
        return cls(
            included=GitIgnoreSpec(from_flag, backend="simple") if included else None,
            named=NamedBy.of(included),
            ordered=IgnoreFile.of(0, excluded) if excluded else None,
            plain=not (included or excluded),
        )

    def within(self, path: str, relative: str) -> IgnoreRules:
        """The rules for a folder below, with its `.batchscanignore` if it has one.

        Raises:
            OSError: the file exists and cannot be read.
            InvalidPattern: one of its lines is invalid, it is too large, not text or not a file.
        """
        data = _content_of(os.path.join(path, IGNORE_FILE))
        return self if data is None else self.with_lines(relative, data)

    def with_lines(self, relative: str, data: bytes) -> IgnoreRules:
        """The rules for a folder below, with the content of an ignore file.

        Raises:
            InvalidPattern: one of its lines is invalid, it is too large or not text.
        """
        if len(data) > MAX_IGNORE_FILE:
            raise InvalidPattern(f"{IGNORE_FILE} is larger than {MAX_IGNORE_FILE} bytes")
        if b"\0" in data:  # in UTF-16, every other byte of a pattern
            raise InvalidPattern(f"{IGNORE_FILE} is not UTF-8 text")
        lines = os.fsdecode(data.removeprefix(b"\xef\xbb\xbf")).split("\n")
        level = IgnoreFile.of(len(matchable(relative)), [line.removesuffix("\r") for line in lines])
        levels = (level, *self.levels)
        return IgnoreRules(self.included, self.named, self.ordered, levels, plain=False)

    def leave_out_folder(self, relative: str, name: str) -> bool:
        """Whether to exclude the folder `relative`, whose last part is `name`."""
        opinion = None if self.plain else self._opinion(matchable(relative) + "/")
        if opinion is not None:
            return opinion
        return is_system_folder(relative, name) and not self.named.folder(name)

    def leave_out_file(self, relative: str, name: str) -> bool:
        """Whether to exclude the file `relative`, whose last part is `name`."""
        if self.plain:
            return is_system_file(name)
        relative = matchable(relative)
        opinion = self._opinion(relative)
        if opinion is None:
            opinion = is_system_file(name) and not self.named.file(name)
        if opinion:
            return True
        return self.included is not None and not self.included.match_file(relative)

    def _opinion(self, relative: str) -> bool | None:
        for level in (self.ordered, *self.levels):
            opinion = level.opinion(relative) if level else None
            if opinion is not None:
                return opinion
        return None


def _from_flag(flag: str, lines: tuple[str, ...]) -> list[GitIgnoreSpecPattern]:
    compiled: list[GitIgnoreSpecPattern] = []
    for line in lines:
        try:
            patterns = patterns_of(line)
        except InvalidPattern as error:
            raise UsageError(f"{flag}: {error}") from error
        if not patterns:
            raise UsageError(f"{flag}: '{printable(line)}' is a pattern that matches nothing")
        compiled.extend(patterns)
    return compiled


def _content_of(path: str) -> bytes | None:
    """Read an ignore file; None without one."""
    try:
        descriptor = os.open(path, os.O_RDONLY | system.O_NONBLOCK | system.O_CLOEXEC)
    except FileNotFoundError:
        if os.path.islink(path):
            raise InvalidPattern(f"{IGNORE_FILE} is a link to nothing") from None
        return None
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            return None
        if not stat.S_ISREG(mode):
            raise InvalidPattern(f"{IGNORE_FILE} is not a file")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_IGNORE_FILE + 1)
    finally:
        os.close(descriptor)
