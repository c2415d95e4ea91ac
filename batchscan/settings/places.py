"""The user's own folders: where settings are looked for and where the ledger lives."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from batchscan.errors import UsageError
from batchscan.settings.model import Settings
from batchscan.settings.sources import absolute, working_folder

_APP = "batchscan"


def config_file(flag: str | None, environ: Mapping[str, str]) -> str | None:
    """The settings file: `-c`, then BATCHSCAN_CONFIG, then the user's own where there is one.

    Raises:
        UsageError: the working folder is gone.
    """
    named = flag or environ.get("BATCHSCAN_CONFIG")
    if named:
        try:
            return absolute(named, working_folder())
        except ValueError as error:
            raise UsageError(f"settings file {named}: {error}") from None
    own = platformdirs.user_config_path(_APP, appauthor=False) / "config.yaml"
    return str(own) if own.is_absolute() and own.exists() else None


def state_folder(settings: Settings) -> Path:
    """The folder of ledger, token and lock; it need not exist yet.

    Raises:
        UsageError: none is set, and there is no home folder for the usual one.
    """
    if settings.output.state is not None:
        return Path(os.path.abspath(settings.output.state))
    usual = platformdirs.user_state_path(_APP, appauthor=False)
    if not usual.is_absolute():
        raise UsageError(
            "there is no home folder to keep the ledger in",
            advice="say where with --state DIR or output.state",
        )
    return usual
