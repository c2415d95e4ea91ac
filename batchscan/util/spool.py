"""A compressed temporary file for parts of a file whose header is written last."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import IO, Self

from batchscan.errors import StorageError

_BLOCK = 65_536


class Spool:
    """Pieces of a report in an unnamed temporary file, compressed: there may be a million."""

    count = 0

    def __enter__(self) -> Self:
        with _room():
            self._file: IO[bytes] = tempfile.TemporaryFile()
        self._packer = gzip.GzipFile(fileobj=self._file, mode="wb", compresslevel=1)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with suppress(OSError):  # after a failed write, closing may fail again
                self._packer.close()
        finally:
            self._file.close()

    def add(self, piece: bytes) -> None:
        """Append a piece.

        Raises:
            StorageError: the disk is full.
        """
        with _room():
            self._packer.write(piece)
        self.count += 1

    def read_all(self) -> Iterator[bytes]:
        """All pieces in order, in blocks; nothing can be added afterwards.

        Raises:
            StorageError: there is no room for the last of it.
        """
        with _room():
            self._packer.close()
            self._file.seek(0)
        with gzip.GzipFile(fileobj=self._file, mode="rb") as unpacked:
            while block := unpacked.read(_BLOCK):
                yield block


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"no temporary file can be written: {error.strerror}",
            advice="free some space, or name another folder in TMPDIR",
        ) from error
