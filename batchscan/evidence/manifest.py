"""The manifest of a pack: `manifest.json`, and the same for `sha256sum` in `SHA256SUMS`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Final, Literal

import msgspec

from batchscan.util.escaping import escape_json

MANIFEST: Final = "manifest.json"
SUMS: Final = "SHA256SUMS"

MAX_FILES: Final = 150_000
"""The most files in a pack; one with more is taken for an attack."""

MAX_MANIFEST: Final = 64 * 1024 * 1024
"""The most bytes of a manifest; that of the largest pack has half of them."""

_BETWEEN: Final = b","
_NAME: Final = r"(?:[a-z]+/)?[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
SAFE_NAME: Final = re.compile(_NAME)
"""The names of files in a pack: never a path from outside."""


class PackedFile(msgspec.Struct, frozen=True):
    """One file of a pack."""

    name: Annotated[str, msgspec.Meta(pattern=rf"\A{_NAME}\Z")]
    bytes: Annotated[int, msgspec.Meta(ge=0)]
    sha256: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class PackRequest(msgspec.Struct, frozen=True):
    """The choice of pictures that a pack was made from."""

    domains: list[str]
    images: list[str]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`manifest.json`: every file but itself and `SHA256SUMS`."""

    schema: Literal[1] = 1
    made_at: str
    batchscan: str  # its version
    service: str  # the address that was asked
    sandbox: bool  # whether the answers are mock answers
    asked_for: PackRequest
    pictures: int
    answers: int
    runs: int
    captures: int = 0
    files: list[PackedFile]


def describe_file(name: str, data: bytes) -> PackedFile:
    """Size and hash of a file."""
    return PackedFile(name, len(data), hashlib.sha256(data).hexdigest())


def encode(manifest: Manifest, entries: Iterable[bytes]) -> Iterator[bytes]:
    """Encode a manifest in blocks, one line for each field and file.

    Args:
        manifest: without its files.
        entries: those, each written by `entry`, in blocks.
    """
    text = escape_json(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    yield text.removesuffix(b"]\n}")
    skip = len(_BETWEEN)  # none is before the first
    for block in entries:
        yield block[skip:]
        skip = 0
    yield b"\n]\n}\n"


def entry(file: PackedFile) -> bytes:
    """Encode a file's entry in the manifest."""
    return _BETWEEN + b"\n" + msgspec.json.encode(file)


def sum_line(file: PackedFile) -> bytes:
    """A file's line for `sha256sum -c`."""
    return f"{file.sha256}  {file.name}\n".encode()
