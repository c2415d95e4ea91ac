"""Patterns for paths in the syntax of gitignore: for folders that are walked, and for pictures."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass, field

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from batchscan.errors import UsageError
from batchscan.util.escaping import printable
from batchscan.util.paths import is_url

_NESTED_SET = re.compile(r"(?<!\\)\[\[")
_STAR = "[^/]*"  # what pathspec makes of a star inside a name
_FOLDERS = "(?:/.+)?/"  # and of `/**/`
_FOLDERS_FIRST = "^(?:.+/)?"  # and of `**/` at the start
_ALL_INSIDE = re.compile(r"/\*\*(/?) *$")


class InvalidPattern(ValueError):
    """A pattern that is malformed or can never match anything."""


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A pattern for a picture's whole path; without a leading `/` it may begin at any folder.

    `drafts/` covers everything inside any folder of that name, `*.png` any such picture,
    `stock/a.jpg` that one below any folder, `/srv/images/**` and `s3://bucket/images/**` that tree.
    """

    text: str
    _expression: re.Pattern[str] = field(compare=False, repr=False)

    @classmethod
    def of(cls, text: str) -> PathPattern:
        """Compile a pattern.

        Raises:
            UsageError: it is malformed or can never match anything; the message quotes it.
        """
        shown = f"pattern '{printable(text)}'"
        if text.startswith("!"):
            raise UsageError(
                f"{shown}: it only excludes",
                advice=r"name what is included; write a name that begins with ! as \!",
            )
        if {".", ".."} & set(text.strip().split("/")):
            raise UsageError(
                f"{shown}: . and .. do not occur in an absolute path",
                advice="write the whole path from / on, or its last folders only",
            )
        if set(text) & set("\0\r\n"):
            raise UsageError(f"{shown}: a pattern is one line")
        anywhere = f"**/{text}" if text.strip() else ""
        if text.startswith("/") or is_url(text):
            anywhere = _as_folders(text)
        try:
            patterns = patterns_of(anywhere)
        except InvalidPattern:
            raise UsageError(f"{shown} is not a valid gitignore pattern") from None
        if not patterns:
            raise UsageError(f"{shown} matches nothing")
        return cls(text, expression_of(patterns[0]))

    def covers(self, path: bytes | str) -> bool:
        """Whether an absolute path, or a folder above it, matches."""
        return self._expression.match(matchable(_as_folders(os.fsdecode(path))[1:])) is not None

    def __str__(self) -> str:
        return self.text


def _as_folders(path: str) -> str:
    """A URL as a path of folders: gitignore has no empty names (`s3://`)."""
    return f"/{path.replace('://', ':/', 1)}" if is_url(path) else path


def patterns_of(line: str) -> list[GitIgnoreSpecPattern]:
    """Translate a line; none for blank lines, comments and patterns that match nothing.

    Raises:
        InvalidPattern: it cannot be translated.
    """
    if "[:" in line:  # git supports character classes, pathspec silently never matches them
        raise InvalidPattern(f"'{printable(line)}': classes such as [[:alpha:]] are not known")
    # Python's regular expressions warn of "[[", which a gitignore pattern may well hold.
    escaped = _NESTED_SET.sub(r"[\\[", _composed(line))
    # "a/**" matches everything inside `a`; pathspec matches `a` itself, too.
    spelled_out = _ALL_INSIDE.sub(r"/**/*\1", escaped)
    try:
        # The backend is fixed: faster ones, if installed, may interpret a pattern differently.
        patterns = GitIgnoreSpec.from_lines([spelled_out], backend="simple").patterns
    except (ValueError, re.error) as error:
        raise InvalidPattern(f"'{printable(line)}' is not a gitignore pattern") from error
    return [pattern for pattern in patterns if pattern.regex and pattern.include is not None]


def expression_of(pattern: GitIgnoreSpecPattern) -> re.Pattern[str]:
    """The regular expression of a pattern, to be matched from the start of a path."""
    expression = pattern.regex.pattern if pattern.regex else ""
    # pathspec translates "*" and "*/" to expressions that match anywhere in a path.
    anchored = expression if expression.startswith("^") else f".*{expression}"
    return re.compile(_without_detours(anchored))


def matchable(path: str) -> str:
    """A path as it is compared with patterns: NFC, and without line feeds.

    Wildcards do not match a line feed, so a name with one would escape the patterns. macOS writes
    an accent as a character of its own (NFD), which looks the same to people.
    """
    return _composed(path).replace("\n", "\r")


def _composed(text: str) -> str:
    # Bytes that are not UTF-8 are surrogates here, which this leaves as they are.
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _without_detours(expression: str) -> str:
    """Keep a hostile `*a*a*a*b` or `**/a/**/a/**/b` from backtracking exponentially.

    Before another wildcard, the first place where the text after one fits is as good as any.
    """
    first, *rest = [_stars(piece) for piece in expression.split(_FOLDERS)]
    if not rest:
        return first
    *inner, last = rest
    if first.startswith(_FOLDERS_FIRST):
        first = f"^(?>(?:.+?/)??{first.removeprefix(_FOLDERS_FIRST)}(?=/))"
    bound = [f"(?>(?:/.+?)??/{piece}(?=/))" for piece in inner]
    return "".join([first, *bound, _FOLDERS, last])


def _stars(expression: str) -> str:
    """The same for the stars inside the names of one piece of a path."""
    start, *pieces = expression.split(_STAR)
    if not pieces:
        return expression
    *inner, last = pieces
    bound = [f"(?>{_STAR}?{piece})" for piece in inner]
    return "".join([start, *bound, _STAR, last])
