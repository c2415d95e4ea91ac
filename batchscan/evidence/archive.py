"""Reading a zip file that somebody else may have made: nothing is unpacked to the disk.

What is read at once, and altogether, is bounded by the file's own size, whatever it claims.
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final, cast

LARGEST_DIRECTORY: Final = 20 * 1024 * 1024
"""Bytes of a zip's directory; that of the largest pack has fewer."""

_LONGEST_END: Final = 128 * 1024  # bytes behind the directory: at most 64 KiB of comment
_BLOCK: Final = 1024 * 1024
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 1
# What the module raises over damaged files; some of it is documented.
_DAMAGE: Final = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError,
    struct.error, OverflowError, OSError, KeyError,
)  # fmt: skip


class Damaged(Exception):
    """A zip file, or one file in it, cannot be read; the message says why."""


class Archive:
    """A zip file that is open for looking."""

    def __init__(self, file: IO[bytes]) -> None:
        """Read the directory.

        Raises:
            Damaged: there is none, or an absurd one.
        """
        size = os.fstat(file.fileno()).st_size
        with _damage("it is no zip file, or not a whole one"):
            self._zip = zipfile.ZipFile(cast("IO[bytes]", _Bounded(file)))
        members = self._zip.infolist()
        # Overlapping files are how a small zip claims to hold one thing many times.
        if sum(member.compress_size for member in members) > size:
            raise Damaged("its files overlap")
        self.comment = self._zip.comment
        # As they stand there: the module cuts names at a NUL.
        self.names = Counter(member.orig_filename for member in members)
        self._members = {member.orig_filename: member for member in members}

    def read(self, name: str, most: int) -> Iterator[bytes]:
        """Give a file's bytes in blocks, up to one more than `most`.

        Raises:
            Damaged: it is not there, cannot be read, or is not as packs are.
        """
        member = self._members.get(name)
        if member is None:
            raise Damaged("it is not there")
        if member.flag_bits & _ENCRYPTED:
            raise Damaged("it is encrypted")
        if member.compress_type not in _METHODS:
            raise Damaged("it is compressed in a way that packs are not")
        with _damage("it cannot be read"), self._zip.open(member) as file:
            left = most + 1
            while left and (block := file.read(min(left, _BLOCK))):
                left -= len(block)
                yield block


class _Bounded:
    """A file that gives no more at once than the largest directory has.

    The module reads the whole directory at once, as long as the zip file says that it is.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if size > LARGEST_DIRECTORY:
            raise Damaged("its directory is larger than that of any pack")
        return self._file.read(_LONGEST_END if size < 0 else size)


@contextmanager
def _damage(what: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        said = str(error)
        raise Damaged(f"{what}: {said}" if said else what) from error
