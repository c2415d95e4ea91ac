"""The zip file of a pack, written so that the same content is always the same file."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from types import TracebackType
from typing import IO, Final, Self

from batchscan.errors import StorageError, UsageError
from batchscan.evidence.manifest import MOST_FILES, SAFE_NAME, PackedFile, described

_EARLIEST: Final = datetime(1980, 1, 1, tzinfo=UTC).timestamp()  # what a zip file can say
_LATEST: Final = datetime(2107, 12, 31, tzinfo=UTC).timestamp()
_PRIVATE: Final = 0o100600 << 16  # a regular file of its owner's, when unpacked
_UNIX: Final = 3


class Packer:
    """Adds files to a zip, one after the other, and remembers what each is.

    Of a file that was added a few hundred bytes are kept, however large it is.
    """

    def __init__(self, file: IO[bytes]) -> None:
        """Write into an open file."""
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self.files: list[PackedFile] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._zip.close()

    def add(self, name: str, data: bytes, at: float) -> None:
        """Add a file that dates from `at` (seconds since 1970).

        Raises:
            UsageError: there are too many.
            StorageError: the name, which comes from the ledger, is none of ours.
        """
        if len(self.files) == MOST_FILES:
            raise UsageError(
                f"these are more than {MOST_FILES:,} files",
                advice="pack fewer domains or pictures at once",
            )
        self.files.append(described(name, data))
        self.add_unlisted(name, data, at)

    def add_unlisted(self, name: str, data: bytes, at: float) -> None:
        """Add a file that is itself a list of the files.

        Raises:
            StorageError: as above.
        """
        if not SAFE_NAME.fullmatch(name):
            raise StorageError(
                f"the ledger holds an id that none of ours looks like: {name!r}",
                advice="restore the ledger from a backup",
            )
        moment = datetime.fromtimestamp(min(max(at, _EARLIEST), _LATEST), UTC)
        info = zipfile.ZipInfo(name, moment.timetuple()[:6])
        info.create_system = _UNIX
        info.external_attr = _PRIVATE
        info.compress_type = zipfile.ZIP_DEFLATED
        self._zip.writestr(info, data)
