"""Files with secrets in them: read only where nobody but their owner can."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from batchscan.errors import UsageError

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
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
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
            f"{what} {path}: others than its owner may use it (mode {mode:04o})",
            advice=f"chmod 600 {path}",
        )


def _is_mounted_secret(path: str, environ: Mapping[str, str]) -> bool:
    real = os.path.realpath(path)
    mounts = [*_MOUNTS, environ.get("CREDENTIALS_DIRECTORY", "")]
    return any(
        real.startswith(os.path.realpath(mount) + os.sep) for mount in mounts if mount.strip("/")
    )
