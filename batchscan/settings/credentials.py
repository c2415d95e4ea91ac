"""Finding the API key, and refusing key files that others can read."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import replace

from batchscan.errors import UsageError
from batchscan.settings.model import Secret, Settings
from batchscan.util import system

KEY_FILE = "COPYLEAKS_API_KEY_FILE"  # in the environment
CREDENTIAL_NAME = (
    "copyleaks_api_key"  # in $CREDENTIALS_DIRECTORY, as systemd's LoadCredential= has it
)
_MAX_BYTES = 4096  # bytes
_KEY_ADVICE = (
    "run `batchscan init`, or set COPYLEAKS_API_KEY, or name a file that only you can read in "
    "COPYLEAKS_API_KEY_FILE or account.api_key_file"
)


def find_key(
    environ: Mapping[str, str], key_file: str | None, *, file_from_environ: bool
) -> tuple[Secret, str] | None:
    """The API key and its source: the environment, otherwise the settings file.

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
    """Read the key from a file, without the line feed.

    Raises:
        UsageError: it cannot be read, others can read it, or it has no key.
    """
    try:
        text = read_private(path, "key file", _MAX_BYTES, environ)
    except UsageError as error:
        raise UsageError(str(error), advice=error.advice or _KEY_ADVICE) from error
    if text is None:
        raise UsageError(f"key file {path}: too long for an API key", advice=_KEY_ADVICE)
    return _secret(text, f"key file {path}")


def _secret(text: str, where: str) -> Secret:
    key = text.rstrip("\r\n")
    if not key.strip():
        raise UsageError(f"{where}: it is empty", advice="put the API key of your account into it")
    if not key.isprintable() or key != key.strip():
        raise UsageError(f"{where}: an API key is one line without spaces", advice=_KEY_ADVICE)
    return Secret(key)


def with_key(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """Read the key file of settings that a program made, unless they contain the key.

    Raises:
        UsageError: the file cannot be used.
    """
    account = settings.account
    if account.api_key is not None or account.api_key_file is None:
        return settings
    key = read_key_file(account.api_key_file, environ)
    return replace(settings, account=replace(account, api_key=key))


def require_credentials(settings: Settings) -> None:
    """Require an account; for everything that logs in.

    Raises:
        UsageError: something is missing; the advice says how to set it.
    """
    account = settings.account
    if not (account.email or account.api_key):
        raise UsageError(
            "the account's e-mail address and the API key are missing",
            advice="run `batchscan init`, or set COPYLEAKS_EMAIL and COPYLEAKS_API_KEY (or "
            "COPYLEAKS_API_KEY_FILE); `batchscan demo` needs no account",
        )
    if not account.email:
        raise UsageError(
            "the account's e-mail address is missing",
            advice="set COPYLEAKS_EMAIL, or account.email in the settings file",
        )
    if not account.api_key:
        raise UsageError("the API key is missing", advice=_KEY_ADVICE)


_MOUNTS = ("/run/secrets", "/var/run/secrets")  # of containers, whose files everyone there may read


def read_private(path: str, what: str, largest: int, environ: Mapping[str, str]) -> str | None:
    """The text of a file that only its owner can read; None for one that is longer.

    Args:
        path: where it is.
        what: what messages call it, as in "key file".
        largest: bytes.
        environ: the process's environment; it may name a folder of credentials.

    Raises:
        UsageError: it cannot be read, is not UTF-8, or others can read it.
    """
    try:
        # O_NONBLOCK: opening a FIFO must not hang before it is refused
        with open(os.open(path, os.O_RDONLY | system.O_NONBLOCK | system.O_CLOEXEC), "rb") as file:
            _refuse_unsafe(path, what, os.fstat(file.fileno()), environ)
            data = file.read(largest + 1)
    except OSError as error:
        raise UsageError(f"{what} {path}: cannot be read: {error.strerror}") from error
    try:
        return None if len(data) > largest else data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{what} {path}: not UTF-8") from None


def _refuse_unsafe(
    path: str, what: str, status: os.stat_result, environ: Mapping[str, str]
) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"{what} {path}: not a regular file")
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077 and not _is_mounted_secret(path, environ):
        raise UsageError(
            f"{what} {path}: others can read it (mode {mode:04o})",
            advice=f"chmod 600 {path}",
        )


def _is_mounted_secret(path: str, environ: Mapping[str, str]) -> bool:
    real = os.path.realpath(path)
    mounts = [*_MOUNTS, environ.get("CREDENTIALS_DIRECTORY", "")]
    return any(
        real.startswith(os.path.realpath(mount) + os.sep) for mount in mounts if mount.strip("/")
    )
