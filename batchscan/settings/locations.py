"""The user's folders for settings and for the ledger."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import platformdirs

from batchscan.errors import UsageError
from batchscan.settings.model import Settings
from batchscan.settings.sources import absolute, working_folder

_APP = "batchscan"


def config_file(flag: str | None, environ: Mapping[str, str]) -> str | None:
    """The settings file: `-c`, BATCHSCAN_CONFIG, or the user's own; None without one.

    Raises:
        UsageError: the working folder has been removed.
    """
    named = flag or environ.get("BATCHSCAN_CONFIG")
    if named:
        try:
            return absolute(named, working_folder())
        except ValueError as error:
            raise UsageError(f"settings file {named}: {error}") from None
    folder = _own(platformdirs.user_config_path)
    own = folder / "config.yaml" if folder else None
    return str(own) if own and os.path.exists(own) else None


def new_config_file(flag: str | None, environ: Mapping[str, str]) -> str:
    """The path for a new settings file: like `config_file`, but it need not exist.

    Raises:
        UsageError: the working folder is gone, or there is no home folder.
    """
    if named := config_file(flag, environ):
        return named
    folder = _own(platformdirs.user_config_path)
    if folder is None:
        raise UsageError(
            "no home folder is known for a settings file", advice="name one with -c FILE"
        )
    return str(folder / "config.yaml")


def allow_file(settings: Settings, config: str | None) -> Path | None:
    """The file of allow rules: the setting, otherwise `allow.yaml` beside the settings file.

    It need not exist. Without a settings file it is in the user's own folder, if there is one.

    Args:
        settings: where it may be set.
        config: the settings file in use.
    """
    if settings.scan.allow is not None:
        return Path(os.path.abspath(settings.scan.allow))
    return _beside(config)


def usual_allow_file(config: str | None) -> str | None:
    """The default path of the allow rules; None without a home folder."""
    file = _beside(config)
    return str(file) if file and os.path.exists(file) else None


def _beside(config: str | None) -> Path | None:
    folder = Path(os.path.dirname(config)) if config else _own(platformdirs.user_config_path)
    return folder / "allow.yaml" if folder else None


def service_folder(environ: Mapping[str, str]) -> str | None:
    """The first folder of `$STATE_DIRECTORY`, which systemd creates for services; None otherwise."""
    first = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return os.path.normpath(first) if os.path.isabs(first) else None


def state_folder(settings: Settings) -> Path:
    """The folder of ledger, token and lock: the setting, the service's, or the user's.

    It need not exist yet.

    Raises:
        UsageError: none is set, and there is no home folder for the usual one.
    """
    if settings.output.state is not None:
        return Path(os.path.abspath(settings.output.state))
    if service := service_folder(os.environ):
        return Path(service)
    usual = _own(platformdirs.user_state_path)
    if usual is None:
        raise UsageError(
            "no home folder is known for the ledger",
            advice="name a folder with --state DIR or output.state",
        )
    return usual


def _own(folder: Callable[[str], Path]) -> Path | None:
    """One of the user's own folders; None without a home folder, as in some containers."""
    try:
        path = folder(_APP)
    except RuntimeError:  # newer platformdirs; older ones keep the ~
        return None
    return path if path.is_absolute() else None
