"""The API key: where it may come from, and what keeps it from others' eyes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from batchscan.errors import UsageError
from batchscan.settings.model import Secret, Settings
from batchscan.settings.privatefiles import read_private

KEY_FILE = "COPYLEAKS_API_KEY_FILE"  # in the environment
CREDENTIAL_NAME = (
    "copyleaks_api_key"  # in $CREDENTIALS_DIRECTORY, as systemd's LoadCredential= has it
)
_LARGEST = 4096  # bytes
_KEY_ADVICE = (
    "set COPYLEAKS_API_KEY, or name a file that only you can read in COPYLEAKS_API_KEY_FILE "
    "or account.api_key_file"
)


def find_key(
    environ: Mapping[str, str], key_file: str | None, *, file_from_environ: bool
) -> tuple[Secret, str] | None:
    """The API key and where it came from: the environment first, then the settings file.

    Args:
        environ: the process's environment.
        key_file: the value of `account.api_key_file`.
        file_from_environ: whether that came from COPYLEAKS_API_KEY_FILE.

    Raises:
        UsageError: a key is named there and cannot be used.
    """
    if key := environ.get("COPYLEAKS_API_KEY"):
        return _secret(key, "COPYLEAKS_API_KEY"), "environment COPYLEAKS_API_KEY"
    if key_file and file_from_environ:
        return read_key_file(key_file, environ), f"{key_file} (COPYLEAKS_API_KEY_FILE)"
    if folder := environ.get("CREDENTIALS_DIRECTORY"):
        path = os.path.join(folder, CREDENTIAL_NAME)
        if os.path.exists(path):
            return read_key_file(path, environ), f"{path} (CREDENTIALS_DIRECTORY)"
    if key_file:
        return read_key_file(key_file, environ), f"{key_file} (account.api_key_file)"
    return None


def read_key_file(path: str, environ: Mapping[str, str]) -> Secret:
    """The key in a file, without the line's end.

    Raises:
        UsageError: it cannot be read, others can read it, or it holds no key.
    """
    text = read_private(path, "key file", _LARGEST, environ)
    if text is None:
        raise UsageError(f"key file {path}: too long for an API key", advice=_KEY_ADVICE)
    return _secret(text, f"key file {path}")


def _secret(text: str, where: str) -> Secret:
    key = text.rstrip("\r\n")
    if not key.strip():
        raise UsageError(f"{where}: it is empty", advice=_KEY_ADVICE)
    if not key.isprintable() or key != key.strip():
        raise UsageError(f"{where}: an API key is one line without spaces", advice=_KEY_ADVICE)
    return Secret(key)


def with_key(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """Read the key file of settings that a program made, where it gave no key itself.

    Raises:
        UsageError: the file cannot be used.
    """
    account = settings.account
    if account.api_key is not None or account.api_key_file is None:
        return settings
    key = read_key_file(account.api_key_file, environ)
    return replace(settings, account=replace(account, api_key=key))


def require_credentials(settings: Settings) -> None:
    """Refuse to go on without an account; for everything that logs in.

    Raises:
        UsageError: names exactly what is missing and how to give it.
    """
    ways = {
        "the account's e-mail address": None
        if settings.account.email
        else "set COPYLEAKS_EMAIL or account.email",
        "the API key": None if settings.account.api_key else _KEY_ADVICE,
    }
    missing = [what for what, way in ways.items() if way]
    if missing:
        verb = "are" if len(missing) > 1 else "is"
        raise UsageError(
            f"{' and '.join(missing)} {verb} missing",
            advice="; ".join(way for way in ways.values() if way),
        )
