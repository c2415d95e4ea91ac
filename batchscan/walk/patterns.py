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
from dataclasses import dataclass
from typing import NamedTuple

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from batchscan.errors import UsageError
from batchscan.escape import printable

IGNORE_FILE = ".batchscanignore"
MAX_IGNORE_FILE = 1 << 20  # bytes; larger ones were not written by hand
# Other programs' folders, thumbnails and resource forks, which only look like pictures.
DEFAULT_NAMES = frozenset({".git", "@eaDir", ".DS_Store", "Thumbs.db"})
DEFAULT_PREFIX = "._"

_NESTED_SET = re.compile(r"(?<!\\)\[\[")
_STAR = "[^/]*"  # what pathspec makes of a star inside a name
_ALL_INSIDE = re.compile(r"/\*\*(/?) *$")


class BrokenPattern(ValueError):
    """A pattern that cannot be understood, or that could never match anything."""


class Opinion(NamedTuple):
    """A pattern, and whether it leaves out what it matches or brings it back."""

    pattern: re.Pattern[str]
    leaves_out: bool


class Level(NamedTuple):
    """Patterns, and where the paths begin that they speak of.

    The walk asks about every folder on the way, so a pattern must speak of a path itself, not of
    what is above it: after `a*` and `!b/` git leaves out `b/a`. pathspec decides on whole paths
    and would not, so its translation is used and the deciding is done here.
    """

    start: int  # characters of a path relative to the root that lie above the patterns' folder
    patterns: tuple[Opinion, ...]  # the last one first: it is the strongest

    @classmethod
    def of(cls, start: int, lines: Iterable[str]) -> Level:
        """Compile patterns.

        Raises:
            BrokenPattern: one of them is.
        """
        opinions = [
            Opinion(re.compile(_without_detours(_whole(each.regex.pattern))), bool(each.include))
            for line in lines
            for each in _patterns_of(line)
            if each.regex
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
class Rules:
    """What decides in one folder; the rules of a folder below are made by `within`."""

    included: GitIgnoreSpec | None = None
    ordered: Level | None = None  # the command line's exclusions
    levels: tuple[Level, ...] = ()  # of ignore files, the nearest first
    plain: bool = True  # the defaults are all there is, so that a name alone decides

    @classmethod
    def of(cls, include: Iterable[str], exclude: Iterable[str]) -> Rules:
        """Compile the command line's patterns.

        Raises:
            UsageError: a pattern is broken; the message names it.
        """
        wanted, unwanted = tuple(include), tuple(exclude)
        taken = _from_flag("--include", wanted)
        _from_flag("--exclude", unwanted)
        return cls(
            included=GitIgnoreSpec(taken, backend="simple") if wanted else None,
            ordered=Level.of(0, unwanted) if unwanted else None,
            plain=not (wanted or unwanted),
        )

    def within(self, path: str, relative: str) -> Rules:
        """Give the rules of a folder, with those of its `.batchscanignore` if it has one.

        Raises:
            OSError: there is such a file, and it cannot be read.
            BrokenPattern: one of its lines is broken.
        """
        lines = _lines_of(os.path.join(path, IGNORE_FILE))
        if lines is None:
            return self
        level = Level.of(len(relative), lines)
        return Rules(self.included, self.ordered, (level, *self.levels), plain=False)

    def leave_out_folder(self, relative: str, name: str) -> bool:
        """Tell whether the folder `relative`, whose last part is `name`, is not entered."""
        if self.plain:
            return _left_out_by_default(name)
        return self._leave_out(_matchable(relative) + "/", name)

    def leave_out_file(self, relative: str, name: str) -> bool:
        """Tell whether the file `relative`, whose last part is `name`, is left out."""
        if self.plain:  # said here, not called: this runs once for every file there is
            return name in DEFAULT_NAMES or name.startswith(DEFAULT_PREFIX)
        relative = _matchable(relative)
        if self._leave_out(relative, name):
            return True
        return self.included is not None and not self.included.match_file(relative)

    def _leave_out(self, relative: str, name: str) -> bool:
        for level in (self.ordered, *self.levels):
            opinion = level.opinion(relative) if level else None
            if opinion is not None:
                return opinion
        return _left_out_by_default(name)


def _left_out_by_default(name: str) -> bool:
    return name in DEFAULT_NAMES or name.startswith(DEFAULT_PREFIX)


def _matchable(relative: str) -> str:
    # pathspec's wildcards stop at a line feed, so that a name with one would slip through.
    return relative.replace("\n", "\r")


def _from_flag(flag: str, lines: tuple[str, ...]) -> list[GitIgnoreSpecPattern]:
    compiled: list[GitIgnoreSpecPattern] = []
    for line in lines:
        try:
            patterns = _patterns_of(line)
        except BrokenPattern as error:
            raise UsageError(f"{flag}: {error}") from error
        if not patterns:
            raise UsageError(f"{flag}: '{printable(line)}' is a pattern that matches nothing")
        compiled.extend(patterns)
    return compiled


def _patterns_of(line: str) -> list[GitIgnoreSpecPattern]:
    """Translate a line; blank lines, comments and what can match nothing give nothing."""
    if "[:" in line:  # git knows these, pathspec would quietly never match them
        raise BrokenPattern(f"'{printable(line)}': classes such as [[:alpha:]] are not known")
    # Python's regular expressions warn of "[[", which a gitignore pattern may well hold.
    escaped = _NESTED_SET.sub(r"[\\[", line)
    # "a/**" means all inside `a`; pathspec takes that to be said of `a` itself.
    spelled_out = _ALL_INSIDE.sub(r"/**/*\1", escaped)
    try:
        # The backend is fixed: faster ones, where installed, may read a pattern otherwise.
        patterns = GitIgnoreSpec.from_lines([spelled_out], backend="simple").patterns
    except (ValueError, re.error) as error:
        raise BrokenPattern(f"'{printable(line)}' is not a gitignore pattern") from error
    return [pattern for pattern in patterns if pattern.include is not None]


def _whole(expression: str) -> str:
    """Let an expression speak of a whole path."""
    # "*" and "*/" come as expressions that are to be found anywhere in a path.
    return expression if expression.startswith("^") else f".*{expression}"


def _without_detours(expression: str) -> str:
    """Keep a hostile `*a*a*a*b` from trying every way to share out a long name.

    Before another star, the first place where the text after a star fits is as good as any.
    """
    start, *pieces = expression.split(_STAR)
    if not pieces:
        return expression
    *inner, last = pieces
    bound = [_STAR + piece if "(?:" in piece else f"(?>{_STAR}?{piece})" for piece in inner]
    return "".join([start, *bound, _STAR, last])


def _lines_of(path: str) -> list[str] | None:
    """Read an ignore file; None where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            return None
        if not stat.S_ISREG(mode):
            raise BrokenPattern(f"{IGNORE_FILE} is not a file")
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(MAX_IGNORE_FILE + 1)
    finally:
        os.close(descriptor)
    if len(data) > MAX_IGNORE_FILE:
        raise BrokenPattern(f"{IGNORE_FILE} is larger than {MAX_IGNORE_FILE} bytes")
    lines = os.fsdecode(data.removeprefix(b"\xef\xbb\xbf")).split("\n")
    return [line.removesuffix("\r") for line in lines]
