"""Files named by the user: the lines of `--files-from`, and roots that are files."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from io import BufferedReader
from itertools import islice
from typing import BinaryIO

from batchscan.errors import UsageError
from batchscan.model import Stat
from batchscan.stores import stats_of
from batchscan.util.escaping import printable
from batchscan.util.paths import is_url, split_path
from batchscan.walk.block import BLOCK, Block, WalkCounts, entry_of
from batchscan.walk.roots import absolute

CHUNK = 1 << 16  # bytes read at once
MAX_NAME = 1 << 16  # bytes; no path is longer, so a longer line means it is not a list of names
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OTHER_FILES = (  # given by mistake, by their first bytes
    (b"\xff\xd8\xff", "a JPEG"),
    (b"\x89PNG", "a PNG"),
    (b"GIF89a", "a GIF"),
    (b"RIFF", "a WebP or another RIFF file"),
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "gzip data"),
    (b"\xfd7zXZ", "xz data"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
)
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16, and of UTF-32 in little-endian order


class FileList:
    """The files of a list, in its order as far as blocks allow, without duplicates.

    Names are bytes, relative to the working folder or URLs, one a line or NUL-separated. A list may
    be endless: only a 16-byte hash of each name is kept. A list that cannot be read to its end
    counts as lost (`counts.lost`).
    """

    def __init__(self, source: str, *, nul: bool = False, stdin: BinaryIO | None = None) -> None:
        """Open a list; `source` is a file or `-` for `stdin`.

        Raises:
            UsageError: it does not exist, cannot be read or, as far as that is known before a pipe
                is read, is not a list of names.
        """
        self.counts = WalkCounts()
        self._source = source
        self._nul = nul
        self._file = _opened(source, stdin)
        if not nul and isinstance(self._file, BufferedReader):
            try:
                self._refuse_other_texts(_start(self._file))
            except UsageError:
                self._file.close()
                raise

    def blocks(self) -> Iterator[Block]:
        """Read the list and stat its files; may be called once.

        Raises:
            UsageError: it is not a list of names.
        """
        with self._file as file:
            yield from grouped(self._fresh(self._names(file)))

    def _names(self, file: BinaryIO) -> Iterator[bytes]:
        """The names in the list.

        Raises:
            UsageError: this is not a list of names.
        """
        if self._nul:
            yield from filter(None, self._split(file, b"\0"))
            return
        for number, line in enumerate(self._split(file, b"\n")):
            name = line.removesuffix(b"\r")
            name = name if number else name.removeprefix(BYTE_ORDER_MARK)
            if name:
                yield name

    def _split(self, file: BinaryIO, separator: bytes) -> Iterator[bytes]:
        partial = b""
        first = True
        while chunk := self._read(file):
            if first and not self._nul:
                self._refuse_other_texts(chunk)
            first = False
            *names, partial = (partial + chunk).split(separator)
            yield from names
            if len(partial) > MAX_NAME:
                raise UsageError(
                    f"'{printable(self._source)}' is not a list of names: "
                    f"more than {MAX_NAME} bytes without a separator"
                )
        yield partial

    def _refuse_other_texts(self, start: bytes) -> None:
        """Refuse a list whose first bytes show that its lines are not names.

        Raises:
            UsageError: it is a picture or another kind of file, in UTF-16 or UTF-32, or separated
                by NUL bytes.
        """
        name = printable(self._source)
        what = next((kind for magic, kind in _OTHER_FILES if start.startswith(magic)), None)
        if what and not start.isascii():
            raise UsageError(
                f"'{name}' is not a list of names but {what}",
                advice="a list is text, with a name on each line",
            )
        if start.startswith(_WIDE_MARKS) or 3 * start.count(0) > len(start):
            raise UsageError(
                f"the list '{name}' is in UTF-16 or UTF-32",
                advice="save it as UTF-8, or without any encoding as `find` writes it",
            )
        if 0 in start and b"\n" not in start:
            raise UsageError(
                f"the names in the list '{name}' are separated by NUL bytes",
                advice="read it with --files0-from",
            )

    def _read(self, file: BinaryIO) -> bytes:
        try:
            return file.read(CHUNK)
        except OSError as error:
            self.counts.lost(self._source, error.strerror or str(error))
            return b""

    @staticmethod
    def _fresh(names: Iterable[bytes]) -> Iterator[str]:
        seen: set[bytes] = set()
        for name in names:
            path = absolute(os.fsdecode(name))
            digest = hashlib.blake2b(os.fsencode(path), digest_size=16).digest()
            if digest not in seen:
                seen.add(digest)
                yield path


def grouped(paths: Iterable[str]) -> Iterator[Block]:
    """Stat absolute paths or URLs, following links, and group each 10,000 of them by folder."""
    remaining = iter(paths)
    while paths_of_block := list(islice(remaining, BLOCK)):
        blocks: dict[str, Block] = {}
        states = _states_of(paths_of_block)
        for path in paths_of_block:
            folder, name = split_path(path)
            block = blocks.setdefault(folder, Block(folder, named_by_user=True))
            if is_url(path):
                _enter_object(block, name, states.get(path))
            else:
                _enter(block, name, path)
        for block in blocks.values():
            block.sort()
            yield block


def _enter(block: Block, name: str, path: str) -> None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # ValueError: a NUL in the name
        block.without_stat.append(name)
        return
    if stat.S_ISREG(status.st_mode):
        block.entries.append(entry_of(name, status))
    else:
        block.without_stat.append(name)


def _states_of(paths: Iterable[str]) -> dict[str, Stat | None]:
    """The stat of those paths that are objects in stores."""
    urls = [path for path in paths if is_url(path)]
    return stats_of(urls) if urls else {}


def _enter_object(block: Block, name: str, state: Stat | None) -> None:
    if state is None:
        block.without_stat.append(name)
    else:
        block.entries.append((name, *state))


def _start(file: BufferedReader) -> bytes:
    """The first bytes of a regular file, which are read again later; of others, nothing."""
    with suppress(OSError):  # reported when it is read
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return file.peek()
    return b""


def _opened(source: str, stdin: BinaryIO | None) -> AbstractContextManager[BinaryIO]:
    if source == "-":
        if stdin is None and sys.stdin is None:
            raise UsageError("the list cannot be read from stdin, which is closed")
        return nullcontext(stdin or sys.stdin.buffer)
    try:
        return open(source, "rb")
    except OSError as error:
        raise UsageError(f"cannot read the list '{printable(source)}': {error.strerror}") from error
