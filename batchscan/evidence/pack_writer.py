"""The zip file of a pack, written so that the same content is always the same file.

Not by the standard module: that keeps all that it knows of every file until the end, and of a pack
there may be a hundred thousand. Here the directory waits in a temporary file. The layout is that of
PKWARE's APPNOTE 6.3: local header and data of each file (4.3.7), directory (4.3.12), its end
(4.3.14 to 4.3.16). Names are ASCII, no file has 4 GiB.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import IO, Final, NamedTuple, Self

from batchscan.errors import StorageError, UsageError
from batchscan.evidence.manifest import MAX_FILES, SAFE_NAME, PackedFile, entry, sum_line
from batchscan.util.spool import Spool

MAX_BYTES: Final = 2**32 - 2
"""Bytes that a pack has at most: what 32 bits can say, but for the one that says "look elsewhere"."""

_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_LARGE_END: Final = struct.Struct("<4sQ2H2L4Q")
_LARGE_PLACE: Final = struct.Struct("<4sLQL")
_END: Final = struct.Struct("<4s4H2LH")
_MAX_PLAIN: Final = 65_534  # files that the plain end of a directory can count
_ROOM: Final = 1024  # bytes of headers of one file, generously
_VERSION: Final = 20  # of the format: deflate
_LARGE: Final = 45
_UNIX: Final = 3 << 8
_DEFLATED: Final = 8
_PRIVATE: Final = 0o100600 << 16  # a regular file of its owner's, when unpacked
_EARLIEST: Final = datetime(1980, 1, 1, tzinfo=UTC).timestamp()  # what a zip file can say
_LATEST: Final = datetime(2107, 12, 31, tzinfo=UTC).timestamp()


class _Written(NamedTuple):
    """What became of a file's bytes."""

    size: int
    packed: int
    crc: int
    sha256: str


class PackWriter:
    """Adds files to a zip, one after the other; of what was added nothing stays in memory."""

    def __init__(self, file: IO[bytes]) -> None:
        """Write into an open file, from its position on."""
        self._file = file
        self._stack = ExitStack()
        self._directory, self.entries, self.sums = Spool(), Spool(), Spool()

    def __enter__(self) -> Self:
        for aside in (self._directory, self.entries, self.sums):
            self._stack.enter_context(aside)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._stack:
            if kind is None:
                self._finish()

    @property
    def count(self) -> int:
        """How many files were added."""
        return self._directory.count

    def add(self, name: str, data: bytes, at: float) -> None:
        """Add a file that dates from `at` (seconds since 1970), and list it.

        Raises:
            UsageError: it is too much for one pack.
            StorageError: the name, which comes from the ledger, is none of ours.
        """
        if self.count == MAX_FILES:
            raise _too_much(f"more than {MAX_FILES:,} files")
        self.list(self.add_unlisted(name, [data], at))

    def list(self, file: PackedFile) -> None:
        """List a file for the manifest and for `sha256sum`."""
        self.entries.add(entry(file))
        self.sums.add(sum_line(file))

    def add_unlisted(self, name: str, blocks: Iterable[bytes], at: float) -> PackedFile:
        """Add a file that comes in blocks, and say what it is.

        Raises:
            UsageError: it is too much for one pack.
            StorageError: as above.
        """
        if not SAFE_NAME.fullmatch(name):
            raise StorageError(
                f"the ledger holds an id that none of ours looks like: {name!r}",
                advice="restore the ledger from a backup",
            )
        start, raw = self._file.tell(), name.encode()
        self._file.write(bytes(_LOCAL.size) + raw)
        written = self._compressed(blocks)
        end = self._file.tell()
        if end > MAX_BYTES - self.count * _ROOM - _ROOM:
            raise _too_much("more than 4 GB")
        time, date = _dos_time(at)
        about = (0, _DEFLATED, time, date, written.crc, written.packed, written.size, len(raw), 0)
        self._file.seek(start)
        self._file.write(_LOCAL.pack(b"PK\3\4", _VERSION, *about))
        self._file.seek(end)
        versions = (_UNIX | _VERSION, _VERSION)
        central = _CENTRAL.pack(b"PK\1\2", *versions, *about, 0, 0, 0, _PRIVATE, start)
        self._directory.add(central + raw)
        return PackedFile(name, written.size, written.sha256)

    def _compressed(self, blocks: Iterable[bytes]) -> _Written:
        """Write blocks as one stream of deflate."""
        packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        digest = hashlib.sha256()
        size = packed = crc = 0
        for block in blocks:
            size += len(block)
            crc = zlib.crc32(block, crc)
            digest.update(block)
            packed += self._file.write(packer.compress(block))
        packed += self._file.write(packer.flush())
        return _Written(size, packed, crc, digest.hexdigest())

    def _finish(self) -> None:
        """Write the directory and its end."""
        start, count = self._file.tell(), self.count
        for block in self._directory.read_all():
            self._file.write(block)
        end = self._file.tell()
        place = (count, count, end - start, start)
        if count > _MAX_PLAIN:
            versions = (_LARGE_END.size - 12, _UNIX | _LARGE, _LARGE)
            self._file.write(_LARGE_END.pack(b"PK\6\6", *versions, 0, 0, *place))
            self._file.write(_LARGE_PLACE.pack(b"PK\6\7", 0, end, 1))
            place = (0xFFFF, 0xFFFF, end - start, start)
        self._file.write(_END.pack(b"PK\5\6", 0, 0, *place, 0))


def _too_much(what: str) -> UsageError:
    return UsageError(f"this is {what}", advice="pack fewer domains or pictures at once")


def _dos_time(at: float) -> tuple[int, int]:
    """A moment in the way of the format, UTC: two seconds are the least that it can tell."""
    then = datetime.fromtimestamp(min(max(at, _EARLIEST), _LATEST), UTC)
    time = then.hour << 11 | then.minute << 5 | then.second // 2
    return time, (then.year - 1980) << 9 | then.month << 5 | then.day
