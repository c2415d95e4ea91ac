"""The settings file: YAML with two levels, read strictly and with line numbers."""

from __future__ import annotations

import os
from typing import NoReturn

import yaml

from batchscan.errors import UsageError
from batchscan.settings.catalog import entries, groups, nearest
from batchscan.settings.sources import Given, quote

_LARGEST = 1_000_000  # bytes
_DEEPEST = 4  # file, group, list, item
_SCALAR = "tag:yaml.org,2002:"
_PLAIN_TAGS = {  # those that YAML finds itself
    f"{_SCALAR}{kind}"
    for kind in ("null", "bool", "int", "float", "str", "timestamp", "merge", "value", "seq", "map")
}
_KEY_ADVICE = (
    "write the key to a file that only you can read and name that in account.api_key_file, "
    "or set COPYLEAKS_API_KEY"
)


class _Loader(yaml.SafeLoader):
    """Composes nodes, and refuses what a settings file does not need."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose one node, unless it is an alias (bombs are made of them) or too deep."""
        if self.check_event(yaml.AliasEvent):
            raise self._refusal("aliases (*name) are not read here")
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self._refusal("it is nested too deeply")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def _refusal(self, problem: str) -> yaml.MarkedYAMLError:
        mark = self.get_mark()
        return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def read_file(path: str) -> dict[str, Given]:
    """What a settings file gives, by dotted key.

    Raises:
        UsageError: the file cannot be read, is not YAML, or holds what no setting is called.
    """
    return _Reading(path).settings(_compose(path))


def _compose(path: str) -> yaml.Node | None:
    loader = None
    try:
        loader = _Loader(_text(path))
        return loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f" line {mark.line + 1}" if mark else ""
        tabs = "; indent with spaces, not tabs" if r"'\t'" in str(error.problem) else ""
        raise UsageError(f"{path}{line}: {error.problem or error.context}{tabs}") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    except (ValueError, OverflowError):  # PyYAML's own, of "\\Uffffffff"
        raise UsageError(f"{path}: not YAML: there is no character of that number") from None
    finally:
        if loader is not None:
            loader.dispose()


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > _LARGEST:
        raise UsageError(f"{path}: larger than any settings file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path} line {line}: not UTF-8") from None


class _Reading:
    """One file while its nodes are read."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._known = {entry.key for entry in entries()}

    def settings(self, root: yaml.Node | None) -> dict[str, Given]:
        """Every setting in the file."""
        given: dict[str, Given] = {}
        for group, node, key_node in self._pairs(root, "the file"):
            if group not in groups():
                self._unknown(group, None, key_node)
            for name, value, name_node in self._pairs(node, group):
                key = f"{group}.{name}"
                if key == "account.api_key":
                    self._refuse(name_node, f"{key}: the key never stands here", _KEY_ADVICE)
                if key not in self._known:
                    self._unknown(name, group, name_node)
                given[key] = self._given(key, value)
        return given

    def _pairs(
        self, node: yaml.Node | None, what: str
    ) -> list[tuple[str, yaml.Node, yaml.ScalarNode]]:
        if node is None or node.tag == f"{_SCALAR}null":
            return []  # a group whose every line is commented out
        if not isinstance(node, yaml.MappingNode):
            self._refuse(node, f"{what}: names with values are expected, as in `rate: 10/s`")
        self._refuse_tag(what, node)
        pairs = []
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._refuse(key, f"{what}: a name is expected")
            self._refuse_tag(what, key)
            if key.value in seen:
                self._refuse(key, f"{what}: {quote(key.value)} stands here twice")
            seen.add(key.value)
            pairs.append((key.value, value, key))
        return pairs

    def _given(self, key: str, node: yaml.Node) -> Given:
        default = next(entry.default for entry in entries() if entry.key == key)
        if node.tag == f"{_SCALAR}null" and default is not None:
            self._refuse(node, f"{key}: nothing is given; remove the line for the default")
        origin = f"{self._path} line {node.start_mark.line + 1}"
        raw = self._value(key, node)
        text = node.value if isinstance(node, yaml.ScalarNode) else str(raw)
        return Given(raw, text, origin, os.path.dirname(self._path))

    def _value(self, key: str, node: yaml.Node) -> object:
        self._refuse_tag(key, node)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(key, item) for item in node.value]
        if not isinstance(node, yaml.ScalarNode):
            self._refuse(node, f"{key}: a value is expected, not names with values")
        return _scalar(node)

    def _refuse_tag(self, what: str, node: yaml.Node) -> None:
        """Refuse what only somebody who writes a tag gets: `!!python/object`, `!!binary`."""
        if node.tag not in _PLAIN_TAGS:
            self._refuse(node, f"{what}: tags are not read here, and {quote(node.tag)} is one")

    def _unknown(self, name: str, group: str | None, node: yaml.Node) -> NoReturn:
        meant = nearest(name, group)
        key = quote(f"{group}.{name}" if group else name)
        hint = f"; did you mean {meant}?" if meant else "."
        known = groups() if group is None else [e.name for e in entries() if e.group == group]
        self._refuse(node, f"unknown key {key}{hint} Known here: {', '.join(known)}")

    def _refuse(self, node: yaml.Node, message: str, advice: str | None = None) -> NoReturn:
        raise UsageError(f"{self._path} line {node.start_mark.line + 1}: {message}", advice=advice)


def _scalar(node: yaml.ScalarNode) -> object:
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
