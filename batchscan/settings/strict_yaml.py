"""Parsing hand-written YAML strictly, into nodes with line numbers."""

from __future__ import annotations

import difflib
import errno
import os
import shlex
import stat
from collections.abc import Iterable
from typing import NoReturn

import yaml

from batchscan.errors import UsageError
from batchscan.settings.sources import quote
from batchscan.util import system

_MAX_BYTES = 1_000_000  # bytes
_DEEPEST = 5  # file, group, group inside, list, item
_SCALAR = "tag:yaml.org,2002:"
_PLAIN_TAGS = {  # those that YAML finds itself
    f"{_SCALAR}{kind}"
    for kind in ("null", "bool", "int", "float", "str", "timestamp", "merge", "value", "seq", "map")
}
_NO_ALIAS = "aliases (*name) are not supported; put text that begins with * in quotes"
_OPEN_QUOTE = "unexpected end of stream"
_BACKSLASH = "a backslash in double quotes; use single quotes"
_BLOCK = "put a value that begins with | or > in quotes"
_COLON = "mapping values are not allowed"

# What PyYAML's scanner and parser say, by a part of it, in words; the first that fits.
_PROBLEMS = (
    (r"'\t'", "a tab; indent with spaces, not tabs"),
    ("expected <block end>", "the indentation does not fit the lines above"),
    ("could not find expected ':'", "a colon is missing after a name"),
    ("expected ',' or ']'", "a list in [ ] is not closed, or a comma is missing"),
    ("expected ',' or '}'", "a group in { } is not closed, or a comma is missing"),
    (_OPEN_QUOTE, "a quote is not closed"),
    ("unknown escape character", _BACKSLASH),
    ("expected escape sequence", _BACKSLASH),
    ("that cannot start any token", "put a value that begins with % @ or ` in quotes"),
    ("another document", "the file contains a second document (---); keep one"),
    ("expected the node content", "a value is missing, or a character is one too many"),
    ("sequence entries are not allowed", "a - begins an item of a list; else put it in quotes"),
    ("chomping or indentation", _BLOCK),
    ("indentation indicator", _BLOCK),
    ("comment or a line break", _BLOCK),
    ("alphabetic or numeric", "put a value that begins with & or % in quotes"),
    ("document start", "only one group of settings after the other is expected"),
)


class _Loader(yaml.SafeLoader):
    """Composes nodes; rejects features that such files do not need."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose one node; rejects aliases, which make bombs possible, and deep nesting."""
        if self.check_event(yaml.AliasEvent):
            raise self._refusal(_NO_ALIAS)
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self._refusal("it is nested too deeply, or a bracket is not closed")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def _refusal(self, problem: str) -> yaml.MarkedYAMLError:
        return yaml.MarkedYAMLError(problem=problem, problem_mark=self.current_event.start_mark)


class YamlFile:
    """A YAML file that is being read.

    Args:
        path: where it is, as messages name it.
        data: what it holds.
        what: what it is, as in "larger than any settings file".

    Raises:
        UsageError: it is not YAML, too large, or uses more of YAML than it needs.
    """

    def __init__(self, path: str, data: bytes, what: str) -> None:
        self.path = path
        self.root = _compose(path, _text(path, data, what))

    @classmethod
    def read(cls, path: str, what: str) -> YamlFile:
        """Read the file.

        Raises:
            UsageError: it cannot be read, or as above.
        """
        try:
            data = _content(path)
        except OSError as error:
            writes = (
                f"`batchscan init -c {shlex.quote(path)}` writes one"
                if what == "settings"
                else None
            )
            raise UsageError(
                f"{path}: cannot be read: {error.strerror}",
                advice=writes if isinstance(error, FileNotFoundError) else None,
            ) from error
        return cls(path, data, what)

    def pairs(
        self, node: yaml.Node | None, what: str, example: str
    ) -> list[tuple[str, yaml.Node, yaml.ScalarNode]]:
        """Name, value and the name's node of each pair in a mapping.

        Raises:
            UsageError: it is not a mapping, or a name is invalid or occurs twice.
        """
        if node is None or is_null(node):
            return []  # a group whose every line is commented out
        if not isinstance(node, yaml.MappingNode):
            actual = quote(node.value) if isinstance(node, yaml.ScalarNode) else "a list"
            expected = f"names with values are expected, as in `{example}`"
            self.refuse(node, f"{what}: {expected}; found {actual}")
        self.refuse_tag(what, node)
        pairs = []
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.refuse(key, f"{what}: a name is expected")
            self.refuse_tag(what, key)
            if key.value in seen:
                self.refuse(key, f"{what}: {quote(key.value)} is given twice")
            seen.add(key.value)
            pairs.append((key.value, value, key))
        return pairs

    def refuse_tag(self, what: str, node: yaml.Node) -> None:
        """Reject tags such as `!!python/object` and `!!binary`.

        Raises:
            UsageError: it has one.
        """
        if node.tag not in _PLAIN_TAGS:
            self.refuse(node, f"{what}: tags are not supported, and {quote(node.tag)} is one")

    def refuse_key(
        self, node: yaml.Node, key: str, meant: str | None, names: Iterable[str]
    ) -> NoReturn:
        """Reject an unknown name.

        Raises:
            UsageError: always.
        """
        hint = f"; did you mean {meant}?" if meant else "."
        self.refuse(node, f"unknown key {quote(key)}{hint} Known here: {', '.join(names)}")

    def refuse(self, node: yaml.Node, message: str, advice: str | None = None) -> NoReturn:
        """Reject the file because of a node.

        Raises:
            UsageError: always, with file and line.
        """
        raise UsageError(f"{self.path} line {line_of(node)}: {message}", advice=advice)


def line_of(node: yaml.Node) -> int:
    """The line where a node begins, from 1."""
    return int(node.start_mark.line) + 1


def source_of(node: yaml.Node) -> str:
    """The text of a node in the file, on one line."""
    start, end = node.start_mark, node.end_mark
    text = str(start.buffer or "")  # the loader was given the whole text
    return " ".join(text[start.index : end.index].split())


def is_null(node: yaml.Node) -> bool:
    """Whether a node is null: `null`, `~`, or empty."""
    return bool(node.tag == f"{_SCALAR}null")


def closest(word: str, names: Iterable[str]) -> str | None:
    """The most similar known name; None without one."""
    close = difflib.get_close_matches(word.lower().replace("-", "_"), list(names), n=1)
    return close[0] if close else None


def scalar(node: yaml.ScalarNode) -> object:
    """The value of a scalar: numbers only as people write them.

    YAML 1.1 also reads 010 as eight and 1:30 as ninety; those stay text, and are refused later.
    """
    kind = node.tag.removeprefix(_SCALAR)
    text: str = node.value
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in {"yes", "true", "on"}
    if kind == "int" and text.isdecimal() and text == str(int(text[:20])):
        return int(text)
    if kind == "float" and text.replace(".", "", 1).isdecimal():
        return float(text)
    return text


def _content(path: str) -> bytes:
    """Read a file, or a pipe such as `<(command)`; a pipe into which nothing is written is an error.

    Raises:
        OSError: it cannot be read.
    """
    # With O_NONBLOCK, a pipe without a writer is opened, and is empty.
    with open(
        path, "rb", opener=lambda name, flags: os.open(name, flags | system.O_NONBLOCK)
    ) as file:
        if system.O_NONBLOCK:
            os.set_blocking(file.fileno(), True)
        data = file.read(_MAX_BYTES + 1)
        if not data and stat.S_ISFIFO(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EPIPE, "nothing was written into this pipe")
    return data


def _compose(path: str, text: str) -> yaml.Node | None:
    loader = None
    try:
        loader = _Loader(text)
        return loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        at_start = error.problem and _OPEN_QUOTE in error.problem  # else it is the file's end
        mark = (None if at_start else error.problem_mark) or error.context_mark
        line = f" line {mark.line + 1}" if mark else ""
        raise UsageError(f"{path}{line}: {_problem(error, text)}") from None
    except yaml.reader.ReaderError as error:
        number = text.count("\n", 0, error.position) + 1
        raise UsageError(
            f"{path} line {number}: not YAML: it has the control character U+{error.character:04X}"
        ) from None
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    except (ValueError, OverflowError):  # PyYAML's own, of "\\Uffffffff"
        raise UsageError(f"{path}: not YAML: it names a character that does not exist") from None
    finally:
        if loader is not None:
            loader.dispose()


def _problem(error: yaml.MarkedYAMLError, text: str) -> str:
    """A plain description of a syntax error; PyYAML's own message if there is none."""
    if error.context == "while scanning an alias":  # as `*.png` begins one
        return _NO_ALIAS
    problem = str(error.problem or error.context)
    if _COLON in problem and error.problem_mark:
        before = text[: error.problem_mark.index].rpartition("\n")[2]
        if ":" in before:
            return "a value with a colon needs quotes"
        return "a colon is missing in the line above, or the indentation does not fit it"
    return next((words for start, words in _PROBLEMS if start in problem), problem)


def _text(path: str, data: bytes, what: str) -> str:
    if len(data) > _MAX_BYTES:
        raise UsageError(f"{path}: the {what} file is too large")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path} line {line}: not UTF-8") from None
