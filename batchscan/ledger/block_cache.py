"""The block cache: one row (table `seals`) for a block of files that all have their verdicts.

While the block's fingerprint matches, nothing in it has changed and no file's row need be read.
The cache is only a shortcut: without an entry, the rows give the same result.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from batchscan.ledger.freshness import FileStat, FreshnessPolicy

MatchedFiles: TypeAlias = list[tuple[int, bytes]]  # ids of pictures with matches, and file names
Rejected: TypeAlias = dict[str, list[bytes]]  # names of rejected files by reason


class Contents(NamedTuple):
    """The content of a block's entry."""

    oldest: float | None  # time of the oldest answer, seconds since 1970
    matched: MatchedFiles
    rejected: Rejected


_FINGERPRINT_BYTES = 16
_NOTHING_MATCHED = msgspec.msgpack.encode([])
_NOTHING_REJECTED = msgspec.msgpack.encode({})
_REJECTED = msgspec.msgpack.Decoder(Rejected)


def fingerprint(entries: Sequence[FileStat]) -> bytes | None:
    """A hash of names and stats of a block's files; None if a name is not UTF-8."""
    try:
        written = msgspec.msgpack.encode(entries)
    except UnicodeEncodeError:  # a name that is not UTF-8
        return None
    return hashlib.blake2b(written, digest_size=_FINGERPRINT_BYTES).digest()


def sealed(block_fingerprint: bytes, oldest: object, matched: object, rejected: object) -> bytes:
    """The fingerprint of an entry, also of its content, so that damage is noticed.

    Empty, which is none's, if the content is not of the right types.
    """
    if not (isinstance(oldest, float | None) and isinstance(matched, bytes)):
        return b""
    if not isinstance(rejected, bytes):
        return b""
    content = msgspec.msgpack.encode((block_fingerprint, oldest, matched, rejected))
    return hashlib.blake2b(content, digest_size=_FINGERPRINT_BYTES).digest()


def _real(time: float | None) -> float | None:
    return None if time is None else float(time)  # as the column gives it back


class BlockCache:
    """The table of cached blocks."""

    def __init__(self, connection: sqlite3.Connection, realm_id: int, *, writable: bool) -> None:
        self._connection = connection
        self._writable = writable
        self._realm_id = realm_id
        row = connection.execute("SELECT EXISTS (SELECT 1 FROM seals)").fetchone()
        self._any = bool(row[0])

    def look_up(
        self,
        folder_id: int,
        first: bytes,
        block_fingerprint: bytes | None,
        freshness: FreshnessPolicy,
    ) -> tuple[MatchedFiles, Rejected] | None:
        """The matched and the rejected files of a block; None without a valid entry."""
        if block_fingerprint is None:
            return None
        row = self._connection.execute(
            "SELECT oldest, matched, rejected, fingerprint FROM seals"
            " WHERE realm_id = ? AND folder_id = ? AND first_name = ? AND rules = ?",
            (self._realm_id, folder_id, first, freshness.block_rules),
        ).fetchone()
        if row is None:
            return None
        oldest, matched, rejected, stored = row
        seal = sealed(block_fingerprint, oldest, matched, rejected)
        try:
            if not seal or stored != seal:  # another state of the files, or damaged
                return None
            cutoff = freshness.cutoff(matched=matched != _NOTHING_MATCHED)
            return _decoded(matched, rejected) if oldest is None or oldest >= cutoff else None
        except msgspec.MsgspecError:  # of another version
            return None

    def store(
        self,
        folder_id: int,
        first: bytes,
        block_fingerprint: bytes | None,
        freshness: FreshnessPolicy,
        contents: Contents,
    ) -> None:
        """Store a block whose files all have valid verdicts."""
        if block_fingerprint is None or not self._writable:
            return
        self._any = True
        matched = msgspec.msgpack.encode(contents.matched)
        rejected = msgspec.msgpack.encode(contents.rejected)
        self._connection.execute(
            "INSERT OR REPLACE INTO seals VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._realm_id,
                folder_id,
                first,
                sealed(block_fingerprint, _real(contents.oldest), matched, rejected),
                freshness.block_rules,
                contents.oldest,
                matched,
                rejected,
            ),
        )

    def invalidate_folder(self, folder: bytes) -> None:
        """Remove a folder's entries, as one of its files gets another verdict."""
        if self._any:
            self._connection.execute(
                "DELETE FROM seals WHERE realm_id = ?"
                " AND folder_id = (SELECT id FROM folders WHERE path = ?)",
                (self._realm_id, folder),
            )

    def invalidate_picture(self, picture_id: int) -> None:
        """Remove the entries of a picture's folders, as it gets another answer."""
        if self._any:
            self._connection.execute(
                "DELETE FROM seals WHERE realm_id = ?"
                " AND folder_id IN (SELECT folder_id FROM files WHERE picture_id = ?)",
                (self._realm_id, picture_id),
            )

    def uncached_folders(self, after: int, limit: int) -> list[int]:
        """The ids of the next folders without an entry, in order."""
        rows = self._connection.execute(
            "SELECT id FROM folders f WHERE id > ? AND NOT EXISTS"
            " (SELECT 1 FROM seals s WHERE s.realm_id = ? AND s.folder_id = f.id)"
            " ORDER BY id LIMIT ?",
            (after, self._realm_id, limit),
        )
        return [row[0] for row in rows]


def _decoded(matched: bytes, rejected: bytes) -> tuple[MatchedFiles, Rejected]:
    names = {} if rejected == _NOTHING_REJECTED else _REJECTED.decode(rejected)
    return msgspec.msgpack.decode(matched, type=MatchedFiles), names
