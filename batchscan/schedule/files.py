"""Writing units, and leaving alone what others wrote or changed."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping

from batchscan.errors import StorageError, UsageError
from batchscan.escape import printable
from batchscan.whole import write_whole

_MODE = 0o644  # systemd complains of units that are secret
_ADVICE = "name another folder with --to, or run it as root"
_FIRST = re.compile(rb"# Made by batchscan schedule \(([0-9a-f]{16})\)\n")


def write_units(folder: str, units: Mapping[str, str]) -> None:
    """Write unit files, all or none, unless one is there that we did not write just so.

    Args:
        folder: a folder that is there.
        units: their text by file name.

    Raises:
        UsageError: a file is there that others wrote or changed.
        StorageError: the folder cannot be written.
    """
    for name in units:
        _refuse_others(os.path.join(folder, name))
    for name, text in units.items():
        path = os.path.join(folder, name)
        write_whole(path, [_signed(text)], mode=_MODE, advice=_ADVICE)


def _signed(text: str) -> bytes:
    """A unit whose first line tells whether the rest was changed."""
    body = text.encode()
    return f"# Made by batchscan schedule ({_digest(body)})\n".encode() + body


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]


def _refuse_others(path: str) -> None:
    try:
        with open(path, "rb") as file:
            found = file.read()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(
            f"cannot read '{printable(path)}': {error.strerror}", advice=_ADVICE
        ) from error
    first = _FIRST.match(found)
    if first is None or first[1].decode() != _digest(found[first.end() :]):
        raise UsageError(
            f"'{printable(path)}' is there, and others wrote or changed it",
            advice="move it away, or choose another --name; changes belong into a drop-in "
            "(`systemctl edit`)",
        )
