"""Checking a file's name against its content, and choosing the name to send."""

from __future__ import annotations

import os
import unicodedata
from typing import Final

from batchscan.enums import RejectReason
from batchscan.images.kinds import GENERIC_RAW, RAW_EXTENSIONS, ImageFormat
from batchscan.images.rules import EXTENSION_MISMATCH, RuleViolation
from batchscan.images.signature import SEEN_EXTENSIONS

MAX_FILE_NAME: Final = 255
"""The service's limit for a file name, in characters."""

_UNSAFE: Final = frozenset("\"'/\\:;<>|?*%")


def extension_of(name: str) -> str:
    """A name's extension in lower case with its dot, or ""."""
    return os.path.splitext(name)[1].lower()


def agree(kind: ImageFormat, name: str) -> tuple[str, str | None]:
    """The extension to send for content of this kind, with a warning if it is another one.

    Raises:
        RuleViolation: the content is camera RAW and the name another picture's, or the reverse.
    """
    extension = extension_of(name)
    if extension in kind.extensions or (kind.group == "raw" and extension == GENERIC_RAW):
        return extension, None
    named_raw = extension in RAW_EXTENSIONS
    if (named_raw and kind.group == "raster") or (
        kind.group == "raw" and extension in SEEN_EXTENSIONS and not named_raw
    ):
        raise RuleViolation(
            RejectReason.EXTENSION_MISMATCH,
            f"named {extension} but the content is {kind.label}; rename it to {kind.extensions[0]}",
        )
    named = f"named {extension}" if extension else "no extension"
    return kind.extensions[0], f"{EXTENSION_MISMATCH}: {named}, the content is {kind.label}"


def safe_file_name(path: str, extension: str) -> str:
    """Make a file name that any multipart parser accepts, with this extension.

    At most `MAX_FILE_NAME` characters of valid UTF-8, no control characters, quotes or slashes.
    """
    stem, own = os.path.splitext(os.path.basename(path))
    if own.lower() == extension:
        extension = own
    clean = "".join("_" if _is_unsafe(letter) else letter for letter in stem).strip(" .")
    return (clean or "image")[: MAX_FILE_NAME - len(extension)] + extension


def _is_unsafe(letter: str) -> bool:
    # C: control, format, surrogate (a byte that is not UTF-8), unassigned; Zl, Zp: line separators.
    category = unicodedata.category(letter)
    return letter in _UNSAFE or category[0] == "C" or category in ("Zl", "Zp")
