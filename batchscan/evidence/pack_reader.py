"""Reading the zip file of a pack, of which nothing is trusted."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final, cast

MAX_DIRECTORY: Final = 20 * 1024 * 1024
"""Bytes of a zip's directory; that of the largest pack has fewer."""

_MAX_END: Final = 128 * 1024  # bytes behind the directory: at most 64 KiB of comment
_BLOCK: Final = 1024 * 1024
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 1
# What `zipfile` raises for damaged files; some of it is documented.
_DAMAGE: Final = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError,
    struct.error, OverflowError, OSError, KeyError,
)  # fmt: skip


class Damaged(Exception):
    """A zip file, or one file in it, cannot be read; the message has the reason."""


class PackReader:
    """The files of a pack, which may be damaged or hostile."""

    def __init__(self, file: IO[bytes]) -> None:
        """Read the directory.

        Raises:
            Damaged: it has none, or one that no pack has.
        """
        size = os.fstat(file.fileno()).st_size
        with _damage("not a zip file, or not a complete one"):
            self._zip = zipfile.ZipFile(cast("IO[bytes]", _Bounded(file)))
        members = self._zip.infolist()
        # Overlapping files are how a small zip claims to hold one thing many times.
        if sum(member.compress_size for member in members) > size:
            raise Damaged("its files overlap")
        self.comment = self._zip.comment
        # As they are there: the module cuts names at a NUL.
        self.names = Counter(member.orig_filename for member in members)
        self._members = {member.orig_filename: member for member in members}

    def read(self, name: str, most: int) -> Iterator[bytes]:
        """Read a file in blocks, up to one byte more than `most`.

        Raises:
            Damaged: it does not exist, cannot be read, or is not stored as in packs.
        """
        member = self._members.get(name)
        if member is None:
            raise Damaged("it is not in the zip file")
        if member.flag_bits & _ENCRYPTED:
            raise Damaged("it is encrypted")
        if member.compress_type not in _METHODS:
            raise Damaged("it is compressed in a way that is not used in packs")
        with _damage("it cannot be read"), self._zip.open(member) as file:
            left = most + 1
            while left and (block := file.read(min(left, _BLOCK))):
                left -= len(block)
                yield block

    def read_all(self, name: str, most: int) -> bytes:
        """Read a file of at most `most` bytes.

        Raises:
            Damaged: as for `read`, or it is larger.
        """
        data = b"".join(self.read(name, most))
        if len(data) > most:
            raise Damaged(f"it has more than {most:,} bytes")
        return data


class _Bounded:
    """A file that refuses to read more at once than the largest directory.

    `zipfile` reads a directory at once, with the length that the file claims.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if size > MAX_DIRECTORY:
            raise Damaged("its directory is too large for a pack")
        return self._file.read(_MAX_END if size < 0 else size)


@contextmanager
def _damage(what: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise Damaged(f"{what}: {error}" if str(error) else what) from error
