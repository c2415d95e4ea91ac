"""Reading the settings file: YAML with groups, which may have subgroups."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NoReturn

import yaml

from batchscan.settings.catalog import entries, groups, names_in, nearest, subgroups
from batchscan.settings.sources import RawValue
from batchscan.settings.strict_yaml import YamlFile, is_null, line_of, scalar, source_of

_GROUP_EXAMPLE = "pace: {rate: 10/s}"
_EXAMPLE = "rate: 10/s"
_KEY_ADVICE = (
    "write the key to a file that only you can read and name that in account.api_key_file, "
    "or set COPYLEAKS_API_KEY"
)


def read_file(path: str) -> dict[str, RawValue]:
    """Read a settings file; returns raw values by dotted key.

    Raises:
        UsageError: the file cannot be read, is not YAML, or has an unknown key.
    """
    return _Reading(path).settings()


class _Reading:
    """The state of reading one file."""

    def __init__(self, path: str) -> None:
        self._file = YamlFile.read(path, "settings")
        self._known = {entry.key for entry in entries()}

    def settings(self) -> dict[str, RawValue]:
        """Every setting in the file."""
        given: dict[str, RawValue] = {}
        for group, node, key_node in self._file.pairs(self._file.root, "the file", _GROUP_EXAMPLE):
            if group in self._known:
                self._refuse_dots(group, group, key_node)
            if group not in groups():
                self._unknown(group, None, key_node)
            given.update(self._group(group, node))
        return given

    def _group(self, group: str, node: yaml.Node) -> Iterator[tuple[str, RawValue]]:
        for name, value, name_node in self._file.pairs(node, group, _EXAMPLE):
            key = f"{group}.{name}"
            if key == "account.api_key":
                self._file.refuse(
                    name_node, f"{key}: the key itself must not be in this file", _KEY_ADVICE
                )
            if key in subgroups():
                yield from self._group(key, value)
            elif key not in self._known:
                self._unknown(name, group, name_node)
            elif "." in name:
                self._refuse_dots(key, name, name_node)
            else:
                yield key, self._scalars(key, value)

    def _scalars(self, key: str, node: yaml.Node) -> RawValue:
        default = next(entry.default for entry in entries() if entry.key == key)
        if is_null(node) and default is not None:
            self._file.refuse(
                node, f"{key}: the value is missing; remove the line to use the default"
            )
        origin = f"{self._file.path} line {line_of(node)}"
        raw = self._value(key, node)
        text = node.value if isinstance(node, yaml.ScalarNode) else source_of(node)
        return RawValue(raw, text, origin, os.path.dirname(self._file.path))

    def _value(self, key: str, node: yaml.Node) -> object:
        self._file.refuse_tag(key, node)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(key, item) for item in node.value]
        if not isinstance(node, yaml.ScalarNode):
            self._file.refuse(node, f"{key}: a value is expected, not names with values")
        return scalar(node)

    def _item(self, key: str, node: yaml.Node) -> object:
        """An item of a list: a scalar, or a mapping if the setting takes those."""
        kind = next(entry.kind for entry in entries() if entry.key == key)
        if not (kind.of_mappings and isinstance(node, yaml.MappingNode)):
            return self._value(key, node)
        pairs = self._file.pairs(node, key, _EXAMPLE)
        return {name: self._value(key, value) for name, value, _ in pairs}

    def _refuse_dots(self, key: str, name: str, node: yaml.Node) -> NoReturn:
        outer, _, inner = name.partition(".")
        self._file.refuse(node, f"{key}: write it as `{outer}: {{{inner}: ...}}`")

    def _unknown(self, name: str, group: str | None, node: yaml.Node) -> NoReturn:
        key = f"{group}.{name}" if group else name
        self._file.refuse_key(node, key, nearest(name, group), names_in(group))
