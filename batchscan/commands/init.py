"""Write the files that a first scan with an account needs."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from batchscan.errors import UsageError
from batchscan.settings.credentials import KEY_FILE
from batchscan.settings.locations import new_config_file
from batchscan.settings.template import settings_template
from batchscan.util.atomic_file import create_file, make_folders, storage_errors

_ELSEWHERE = "or name another file with -c"


@dataclass(frozen=True, slots=True)
class WrittenFiles:
    """The settings file and the key file, and what was done about each."""

    config: str
    key: str
    config_is_new: bool
    key_is_new: bool
    has_email: bool  # in the settings file, if it is new
    has_key: bool  # in the key file, if it is new


def write_files(config: str | None, environ: Mapping[str, str]) -> WrittenFiles:
    """Write a settings file and beside it a key file, each only if it does not exist.

    E-mail address and key come from the environment, else from the person at the terminal, if
    there is one; they may be left out.

    Raises:
        UsageError: both files exist, or there is no place for them.
        StorageError: a file cannot be written.
    """
    path = new_config_file(config, environ)
    key_path = environ.get(KEY_FILE) or os.path.join(os.path.dirname(path), "key")
    key_path = os.path.abspath(os.path.expanduser(key_path))
    config_is_new, key_is_new = not os.path.lexists(path), not os.path.lexists(key_path)
    if not (config_is_new or key_is_new):
        raise UsageError(
            f"{path} and {key_path} exist already: nothing was changed",
            advice="edit them, or name another settings file with -c",
        )
    email = _given(environ, "COPYLEAKS_EMAIL", "E-mail address", input) if config_is_new else ""
    key = _given(environ, "COPYLEAKS_API_KEY", "API key", getpass.getpass) if key_is_new else ""
    if config_is_new:
        chosen = {"account.api_key_file": key_path} | ({"account.email": email} if email else {})
        _write(path, settings_template(chosen))
    if key_is_new:
        _write(key_path, f"{key}\n" if key else "")
    return WrittenFiles(path, key_path, config_is_new, key_is_new, bool(email), bool(key))


def _given(environ: Mapping[str, str], variable: str, what: str, ask: Callable[[str], str]) -> str:
    """A value of the environment, else what a person types; empty where neither gives one."""
    if variable in environ or not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return environ.get(variable, "").strip()
    with suppress(EOFError):
        return ask(f"{what} of your Copyleaks account (Enter: later): ").strip()
    return ""


def _write(path: str, text: str) -> None:
    with storage_errors(path, _ELSEWHERE):
        make_folders(os.path.dirname(path))
    with create_file(path, _ELSEWHERE) as file:
        file.write(text.encode("utf-8", "surrogateescape"))
