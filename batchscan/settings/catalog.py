"""The settings of the YAML file as a list, for everything that treats them all alike."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import Field, dataclass, fields, is_dataclass
from functools import cache
from typing import Any

from batchscan.settings.kinds import Kind
from batchscan.settings.model import Settings


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting that the file may hold."""

    group: str
    name: str
    default: object  # None: optional
    help: str
    kind: Kind
    env: str | None
    flag: str | None

    @property
    def key(self) -> str:
        """Its name in messages: `pace.rate`."""
        return f"{self.group}.{self.name}"

    def check(self, value: object) -> None:
        """Refuse a value that is not allowed; None is allowed where it is the default.

        Raises:
            ValueError: it is not; the message, where there is one, says more than the kind.
        """
        if value is not None or self.default is not None:
            self.kind.check(value)

    def show(self, value: object) -> str:
        """Write a value as the file would hold it."""
        return "null" if value is None else self.kind.show(value)


def groups() -> dict[str, type[Any]]:
    """The groups of the file and their classes, in order."""
    empty = Settings()
    owners = {item.name: type(getattr(empty, item.name)) for item in fields(Settings)}
    return {name: owner for name, owner in owners.items() if is_dataclass(owner)}


@cache
def entries() -> tuple[Entry, ...]:
    """Every setting that the file may hold, in order."""
    return tuple(_entries())


def _entries() -> Iterator[Entry]:
    for group, owner in groups().items():
        for item in fields(owner):
            if item.metadata.get("file", True):
                yield _entry(group, item)


def _entry(group: str, item: Field[Any]) -> Entry:
    about = item.metadata
    return Entry(
        group, item.name, item.default, about["help"], about["kind"], about["env"], about["flag"]
    )


def nearest(word: str, group: str | None = None) -> str | None:
    """The known name that an unknown one was probably meant to be.

    Args:
        word: the unknown name.
        group: the group it stands in, or None at the top of the file.
    """
    names = [entry.name for entry in entries() if entry.group == group]
    for candidates in (names if group else list(groups()), [entry.name for entry in entries()]):
        close = difflib.get_close_matches(word.lower().replace("-", "_"), candidates, n=1)
        if close:
            return _full(close[0], group)
    return None


def _full(name: str, group: str | None) -> str:
    keys = [entry.key for entry in entries() if entry.name == name]
    within = f"{group}.{name}"
    return within if within in keys else (keys[0] if keys else name)
