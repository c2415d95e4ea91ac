"""Writing the zip file of a pack reproducibly: the same content gives the same bytes.

`zipfile` keeps the entries of its directory in memory: 40 MB for a hundred thousand files. Here they
are in a temporary file. Names are ASCII.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import IO, Final, NamedTuple, Self

import msgspec

from batchscan.errors import StorageError, UsageError
from batchscan.evidence.manifest import MAX_FILES, SAFE_NAME, PackedFile, entry, sum_line
from batchscan.util.spool import Spool

MAX_BYTES: Final = 2**32 - 2
"""Bytes that a pack has at most, so that programs that know plain zip files only can read it."""

_HEADER_BYTES: Final = 1024  # of one file, at most
_UNIX: Final = 3
_PRIVATE: Final = 0o100600 << 16  # a regular file of its owner's, when unpacked
_EARLIEST: Final = datetime(1980, 1, 1, tzinfo=UTC).timestamp()  # what a zip file can say
_LATEST: Final = datetime(2107, 12, 31, tzinfo=UTC).timestamp()


class _Packed(NamedTuple):
    """A file's entry in the directory."""

    name: str
    at: tuple[int, int, int, int, int, int]
    crc: int
    packed: int
    size: int
    place: int


class _Directory(list[zipfile.ZipInfo]):
    """The directory of a `ZipFile`, kept in a temporary file."""

    def __init__(self, spool: Spool) -> None:
        super().__init__()
        self._spool = spool

    def append(self, info: zipfile.ZipInfo) -> None:
        """Append an entry."""
        sizes = (info.CRC, info.compress_size, info.file_size, info.header_offset)
        self._spool.add(msgspec.json.encode(_Packed(info.filename, info.date_time, *sizes)) + b"\n")

    def __len__(self) -> int:
        return self._spool.count

    def __iter__(self) -> Iterator[zipfile.ZipInfo]:
        for line in _lines(self._spool.read_all()):
            packed = msgspec.json.decode(line, type=_Packed)
            info = _information(packed.name, packed.at)
            info.CRC, info.compress_size, info.file_size = packed.crc, packed.packed, packed.size
            info.header_offset = packed.place
            yield info


class PackWriter:
    """Adds files to a zip, one after another, and keeps nothing in memory."""

    def __init__(self, file: IO[bytes]) -> None:
        """Write to an open file, from its position."""
        self._file = file
        self._stack = ExitStack()
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self._directory, self.entries, self.sums = Spool(), Spool(), Spool()
        self._zip.filelist = _Directory(self._directory)

    def __enter__(self) -> Self:
        for spool in (self._directory, self.entries, self.sums):
            self._stack.enter_context(spool)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._stack:
            if kind is None:
                self._zip.close()  # which writes the directory
                return
            with suppress(OSError, StorageError):  # what was written goes
                self._zip.close()

    @property
    def count(self) -> int:
        """The number of files added."""
        return self._directory.count

    def add(self, name: str, data: bytes, at: float) -> None:
        """Add a file that dates from `at` (seconds since 1970), and list it.

        Raises:
            UsageError: the pack would be too large.
            StorageError: the name, which comes from the ledger, is not valid.
        """
        if self.count == MAX_FILES:
            raise _too_much(f"more than {MAX_FILES:,} files")
        self.list(self.add_unlisted(name, [data], at))

    def list(self, file: PackedFile) -> None:
        """List a file in the manifest and for `sha256sum`."""
        self.entries.add(entry(file))
        self.sums.add(sum_line(file))

    def add_unlisted(self, name: str, blocks: Iterable[bytes], at: float) -> PackedFile:
        """Add a file in blocks; returns its size and hash.

        Raises:
            UsageError: the pack would be too large.
            StorageError: as above.
        """
        if not SAFE_NAME.fullmatch(name):
            raise StorageError(
                f"the ledger contains an invalid id: {name!r}",
                advice="restore the ledger from a backup",
            )
        digest, size = hashlib.sha256(), 0
        with self._zip.open(_information(name, _moment(at)), "w") as packed:
            for block in blocks:
                size += len(block)
                digest.update(block)
                packed.write(block)
        self._zip.NameToInfo.clear()  # an index that is not used
        if self._file.tell() > MAX_BYTES - self.count * _HEADER_BYTES:
            raise _too_much("more than 4 GB")
        return PackedFile(name, size, digest.hexdigest())


def _too_much(what: str) -> UsageError:
    return UsageError(f"this is {what}", advice="pack fewer domains or pictures at once")


def _moment(at: float) -> tuple[int, int, int, int, int, int]:
    then = datetime.fromtimestamp(min(max(at, _EARLIEST), _LATEST), UTC)
    return then.year, then.month, then.day, then.hour, then.minute, then.second


def _information(name: str, at: tuple[int, int, int, int, int, int]) -> zipfile.ZipInfo:
    """The zip entry of a file, independent of the system and its time zone."""
    information = zipfile.ZipInfo(name, at)
    information.compress_type = zipfile.ZIP_DEFLATED
    information.create_system = _UNIX
    information.external_attr = _PRIVATE
    return information


def _lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
