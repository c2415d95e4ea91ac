"""Patterns that leave files out: `--include`, `--exclude`, `.batchscanignore`, and the defaults.

The syntax is gitignore's. As in git the strongest opinion decides: the command line, then the
`.batchscanignore` nearest to the file, then those above it, then the defaults; and nothing below
a folder that was left out comes back.
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
    """A pattern, and whether it leaves out what it matches or brings it back."""

    pattern: re.Pattern[str]
    leaves_out: bool


class IgnoreFile(NamedTuple):
    """Patterns, and where the paths begin that they speak of.

    The walk asks about every folder on the way, so a pattern must speak of a path itself, not of
    what is above it: after `a*` and `!b/` git leaves out `b/a`. pathspec decides on whole paths
    and would not, so its translation is used and the deciding is done here.
    """

    start: int  # characters of a path relative to the root that lie above the patterns' folder
    patterns: tuple[Pattern, ...]  # the last one first: it is the strongest

    @classmethod
    def of(cls, start: int, lines: Iterable[str]) -> IgnoreFile:
        """Compile patterns.

        Raises:
            BrokenPattern: one of them is.
        """
        opinions = [
            Pattern(expression_of(each), bool(each.include))
            for line in lines
            for each in patterns_of(line)
        ]
        return cls(start, tuple(reversed(opinions)))

    def opinion(self, relative: str) -> bool | None:
        """Tell whether a path is matched, matched by a negation, or not mentioned."""
        path = relative[self.start :]
        for pattern, leaves_out in self.patterns:
            if pattern.fullmatch(path):
                return leaves_out
        return None


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """What decides in one folder; the rules of a folder below are made by `within`."""

    included: GitIgnoreSpec | None = None
    named: NamedBy = field(
        default_factory=NamedBy
    )  # the command line's inclusions, as they bring defaults back
    ordered: IgnoreFile | None = None  # the command line's exclusions
    levels: tuple[IgnoreFile, ...] = ()  # of ignore files, the nearest first
    plain: bool = True  # the defaults are all there is, so that a name alone decides

    @classmethod
    def of(cls, include: Iterable[str], exclude: Iterable[str]) -> IgnoreRules:
        """Compile the command line's patterns.

        Raises:
            UsageError: a pattern is broken; the message names it.
        """
        wanted, unwanted = tuple(include), tuple(exclude)
        taken = _from_flag("--include", wanted)
        _from_flag("--exclude", unwanted)
        return cls(
            included=GitIgnoreSpec(taken, backend="simple") if wanted else None,
            named=NamedBy.of(wanted),
            ordered=IgnoreFile.of(0, unwanted) if unwanted else None,
            plain=not (wanted or unwanted),
        )

    def within(self, path: str, relative: str) -> IgnoreRules:
        """Give the rules of a folder, with those of its `.batchscanignore` if it has one.

        Raises:
            OSError: there is such a file, and it cannot be read.
            BrokenPattern: one of its lines is broken.
        """
        data = _content_of(os.path.join(path, IGNORE_FILE))
        return self if data is None else self.with_lines(relative, data)

    def with_lines(self, relative: str, data: bytes) -> IgnoreRules:
        """Give the rules of a folder, with an ignore file's content.

        Raises:
            BrokenPattern: one of its lines is broken, or they are too many.
        """
        if len(data) > MAX_IGNORE_FILE:
            raise InvalidPattern(f"{IGNORE_FILE} is larger than {MAX_IGNORE_FILE} bytes")
        lines = os.fsdecode(data.removeprefix(b"\xef\xbb\xbf")).split("\n")
        level = IgnoreFile.of(len(matchable(relative)), [line.removesuffix("\r") for line in lines])
        levels = (level, *self.levels)
        return IgnoreRules(self.included, self.named, self.ordered, levels, plain=False)

    def leave_out_folder(self, relative: str, name: str) -> bool:
        """Tell whether the folder `relative`, whose last part is `name`, is not entered."""
        opinion = None if self.plain else self._opinion(matchable(relative) + "/")
        if opinion is not None:
            return opinion
        return is_system_folder(relative, name) and not self.named.folder(name)

    def leave_out_file(self, relative: str, name: str) -> bool:
        """Tell whether the file `relative`, whose last part is `name`, is left out."""
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
    """Read an ignore file; None where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | system.O_NONBLOCK | system.O_CLOEXEC)
    except FileNotFoundError:
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
