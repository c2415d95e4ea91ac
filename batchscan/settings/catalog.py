"""The list of all settings of the YAML file, for code that handles all of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, dataclass, fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Any

from batchscan.settings.model import Settings
from batchscan.settings.types import SettingType


@dataclass(frozen=True, slots=True)
class SettingSpec:
    """A setting of the file."""

    group: str
    name: str  # with a dot where it is one level deeper: `webhook.url`
    default: object  # None: optional
    help: str
    kind: SettingType
    env: str | None
    flag: str | None

    @property
    def key(self) -> str:
        """Its name in messages: `pace.rate`."""
        return f"{self.group}.{self.name}"

    def of(self, settings: Settings) -> object:
        """Its value in some settings."""
        return attrgetter(self.key)(settings)

    def check(self, value: object) -> None:
        """Reject a value that is not allowed; None is allowed if it is the default.

        Raises:
            ValueError: it is not; its message, if there is one, is more precise than `allowed`.
        """
        if value is not None or self.default is not None:
            self.kind.check(value)

    def show(self, value: object) -> str:
        """Format a value as in the file."""
        return "null" if value is None else self.kind.show(value)


def groups() -> dict[str, type[Any]]:
    """The groups of the file and their classes, in order."""
    empty = Settings()
    owners = {item.name: type(getattr(empty, item.name)) for item in fields(Settings)}
    return {name: owner for name, owner in owners.items() if is_dataclass(owner)}


@cache
def entries() -> tuple[SettingSpec, ...]:
    """Every setting of the file, in order."""
    return tuple(_entries())


def subgroups() -> dict[str, type[Any]]:
    """The groups inside groups and their classes, by dotted key: `alerts.webhook`."""
    return {
        f"{group}.{item.name}": item.metadata["group"]
        for group, owner in groups().items()
        for item in fields(owner)
        if "group" in item.metadata
    }


def built(owner: type[Any], values: Mapping[str, Any], within: str = "") -> Any:  # noqa: ANN401
    """Make a group from the values of its settings, by name; `within` has its subgroups."""
    given: dict[str, Any] = {}
    for item in fields(owner):
        name = f"{within}{item.name}"
        if "group" in item.metadata:
            given[item.name] = built(item.metadata["group"], values, f"{name}.")
        elif name in values:
            given[item.name] = values[name]
    return owner(**given)


def _entries() -> Iterator[SettingSpec]:
    for group, owner in groups().items():
        yield from _entries_of(group, owner)


def _entries_of(group: str, owner: type[Any], within: str = "") -> Iterator[SettingSpec]:
    for item in fields(owner):
        if "group" in item.metadata:
            yield from _entries_of(group, item.metadata["group"], f"{item.name}.")
        elif item.metadata.get("file", True):
            yield _entry(group, f"{within}{item.name}", item)


def _entry(group: str, name: str, item: Field[Any]) -> SettingSpec:
    about = item.metadata
    return SettingSpec(
        group, name, item.default, about["help"], about["kind"], about["env"], about["flag"]
    )


def names_in(group: str | None) -> list[str]:
    """The names in a group, a subgroup or the top level of the file."""
    if group is None:
        return list(groups())
    inside = [entry.key for entry in entries() if entry.key.startswith(f"{group}.")]
    return list(dict.fromkeys(key.removeprefix(f"{group}.").split(".")[0] for key in inside))


def nearest(word: str, group: str | None = None) -> str | None:
    """The most similar known name; None without one.

    Args:
        word: the unknown name.
        group: its group, or None at the top of the file.
    """
    keys = [*(entry.key for entry in entries()), *subgroups()]
    for candidates in (names_in(group), [key.rpartition(".")[2] for key in keys]):
        close = difflib.get_close_matches(word.lower().replace("-", "_"), candidates, n=1)
        if close:
            return _full(close[0], group, keys)
    return None


def _full(name: str, group: str | None, keys: Sequence[str]) -> str:
    within = f"{group}.{name}"
    called = [key for key in keys if key.endswith(f".{name}")]
    return within if within in called else (called[0] if called else name)
