"""Loading settings from flags, environment, file and defaults, in this order."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from batchscan.errors import UsageError
from batchscan.settings.catalog import SettingSpec, built, entries, groups
from batchscan.settings.credentials import find_key
from batchscan.settings.locations import config_file, service_folder, usual_allow_file
from batchscan.settings.model import Rate, Secret, Settings
from batchscan.settings.settings_file import read_file
from batchscan.settings.sources import RawValue, mistake, read_given, working_folder

DEFAULT = "default"
# Where they are in the folder that a service has for its state: its working folder is /.
_FOLDERS = {"output.directory": "output", "output.state": ""}
# What only flags give: the fields of one run.
_RUN_KEYS = (
    "roots",
    "files_from",
    "files0_from",
    "force",
    "rehash",
    "accept_old_ledger",
    "dry_run",
)


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings with the source of each."""

    settings: Settings
    origins: Mapping[str, str]  # dotted key → "flag --rate", "/etc/b.yaml line 3", "default"
    file: str | None  # the settings file, where there was one


def load(
    flags: Mapping[str, object], environ: Mapping[str, str], *, credentials: bool = True
) -> LoadedSettings:
    """Settings for one run of a command.

    Args:
        flags: what the command line gave, by dotted key (`pace.rate`), unread, without what it
            did not give; `config` names the settings file; `roots` and the other fields of
            `Settings` itself are taken as they are.
        environ: the process's environment.
        credentials: whether to read the API key; commands that do not log in leave it alone.

    Raises:
        UsageError: something given is not allowed, or a file that was named cannot be read.
    """
    config = flags.get("config")
    path = config_file(config if isinstance(config, str) else None, environ)
    sources = (_from_flags(flags), _from_environ(environ), read_file(path) if path else {})
    values: dict[str, dict[str, Any]] = {group: {} for group in groups()}
    origins: dict[str, str] = {}
    for entry in entries():
        given = next((source[entry.key] for source in sources if entry.key in source), None)
        given = given or _default(entry, environ)
        values[entry.group][entry.name] = read_given(entry, given) if given else entry.default
        origins[entry.key] = given.origin if given else DEFAULT
    values["output"]["json"] = bool(flags.get("output.json", False))
    if credentials:
        _add_key(values["account"], origins, environ)
    values["scan"]["allow"] = values["scan"]["allow"] or usual_allow_file(path)
    run: dict[str, Any] = {key: flags[key] for key in _RUN_KEYS if key in flags}
    settings = Settings(
        **run, **{name: built(owner, values[name]) for name, owner in groups().items()}
    )
    validate(settings)
    return LoadedSettings(settings, origins, path)


def validate(settings: Settings) -> None:
    """Validate settings that a program made, by the same rules as for a file.

    Raises:
        UsageError: something is not allowed.
    """
    for entry in entries():
        value = entry.of(settings)
        try:
            entry.check(value)
        except ValueError as error:
            raise mistake(
                entry.key, entry.kind.hide(_shown(value)), entry.kind.allowed, error
            ) from None
    key = settings.account.api_key
    if not (key is None or isinstance(key, Secret)):
        raise UsageError("account.api_key: a Secret is expected")
    if settings.files_from is not None and settings.files0_from is not None:
        raise UsageError("only one of --files-from and --files0-from may be given")


def _shown(value: object) -> str:
    if isinstance(value, tuple) and not isinstance(value, Rate):
        return f"[{', '.join(_shown(item) for item in value)}]"
    return str(value)


def _from_flags(flags: Mapping[str, object]) -> dict[str, RawValue]:
    folder = working_folder() if flags else ""
    given: dict[str, RawValue] = {}
    for entry in entries():
        raw = flags.get(entry.key)
        if raw is not None:
            given[entry.key] = RawValue(raw, _shown(raw), f"flag {entry.flag}", folder)
    return given


def _from_environ(environ: Mapping[str, str]) -> dict[str, RawValue]:
    given: dict[str, RawValue] = {}
    for entry in entries():
        raw = environ.get(entry.env) if entry.env else None
        if raw:  # an empty variable counts as none, as everywhere
            given[entry.key] = RawValue(raw, raw, f"environment {entry.env}", working_folder())
    return given


def _default(entry: SettingSpec, environ: Mapping[str, str]) -> RawValue | None:
    """The default of a folder that depends on the environment; None for other settings."""
    if entry.key not in _FOLDERS:
        return None
    service = service_folder(environ)
    if service:
        path = os.path.join(service, _FOLDERS[entry.key])
        return RawValue(path, path, "environment STATE_DIRECTORY", service)
    if entry.default is None:
        return None
    text = str(entry.default)
    return RawValue(text, text, DEFAULT, working_folder())


def _add_key(account: dict[str, Any], origins: dict[str, str], environ: Mapping[str, str]) -> None:
    from_environ = origins["account.api_key_file"].startswith("environment")
    key_and_origin = find_key(environ, account["api_key_file"], file_from_environ=from_environ)
    if key_and_origin:
        account["api_key"], origins["account.api_key"] = key_and_origin
