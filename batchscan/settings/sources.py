"""Raw values with their sources, and the error for an invalid one."""

from __future__ import annotations

import os
from typing import NamedTuple

from batchscan.errors import UsageError
from batchscan.settings.catalog import SettingSpec
from batchscan.settings.types import PathType
from batchscan.util.urls import hide_login

_MAX_QUOTE = 80


class RawValue(NamedTuple):
    """A value as in its source."""

    raw: object
    text: str  # as it was written
    origin: str  # "flag --rate", "environment COPYLEAKS_EMAIL", "/etc/b.yaml line 3"
    folder: str  # what a relative path is relative to


def read_given(entry: SettingSpec, given: RawValue) -> object:
    """Parse and validate the value of a setting.

    Raises:
        UsageError: it is not allowed.
    """
    try:
        value = entry.kind.read(given.raw) if given.raw is not None else None
        entry.check(value)
        if isinstance(entry.kind, PathType) and isinstance(value, str):
            beside = entry.kind.beside_file
            value = absolute(value, given.folder if beside else working_folder())
    except ValueError as error:
        where = f"{given.origin}: {entry.key}"
        raise mistake(where, entry.kind.hide(given.text), entry.kind.allowed, error) from None
    return value


def mistake(where: str, text: str, allowed: str, error: ValueError) -> UsageError:
    """The error for an invalid value: place, value, and what is allowed."""
    more = f" ({error})" if error.args else ""
    return UsageError(f"{where}: found {quote(text)}; allowed: {allowed}{more}")


def quote(text: str) -> str:
    """Untrusted text for a message: without control characters or logins, and shortened."""
    safe = ascii(hide_login(text))
    return safe if len(safe) <= _MAX_QUOTE else f"{safe[:_MAX_QUOTE]}...'"


def absolute(path: str, folder: str) -> str:
    """An absolute path, `~` expanded, links unresolved.

    Raises:
        ValueError: the home folder for `~` is not known.
    """
    expanded = os.path.expanduser(path)
    if expanded.startswith("~"):
        raise ValueError("no home folder is known for ~; write the whole path")
    return os.path.normpath(os.path.join(folder, expanded))


def working_folder() -> str:
    """The working folder, to which paths of flags are relative.

    Raises:
        UsageError: it has been removed.
    """
    try:
        return os.getcwd()
    except OSError as error:
        raise UsageError(
            "the working folder no longer exists", advice="change to another folder"
        ) from error
