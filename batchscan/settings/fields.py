"""Declaring a setting in one line of its group's class."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from batchscan.settings.types import SettingType


def setting(
    default: Any,  # noqa: ANN401 - any type of setting
    why: str,
    kind: SettingType,
    *,
    env: str | None = None,
    flag: str | None = None,
    shown: bool = True,
) -> Any:  # noqa: ANN401 - the same
    """Declare a setting of the YAML file.

    Args:
        default: the default value; None makes the setting optional.
        why: one line on why one would change it.
        kind: what it may be.
        env: the environment variable that gives it.
        flag: the flag that gives it.
        shown: whether `repr` shows it.
    """
    about = {"help": why, "kind": kind, "env": env, "flag": flag}
    return field(default=default, metadata=about, repr=shown)


def subgroup(owner: type[Any]) -> Any:  # noqa: ANN401 - a group of any class
    """Declare a group inside a group: `alerts: {webhook: {url: ...}}`."""
    return field(default_factory=owner, metadata={"group": owner})


def unwritten(default: Any) -> Any:  # noqa: ANN401 - any type of setting
    """Declare a setting that the file cannot contain: only flags, the environment and programs."""
    return field(default=default, metadata={"file": False})
