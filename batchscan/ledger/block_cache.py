"""Seals: one row that says of a whole block of files that each has its verdict.

While the block's fingerprint fits, nothing in it has changed, and no file's row need be read. A
seal is only ever a shortcut: broken or missing, the rows tell the same.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from batchscan.ledger.freshness import FileStat, FreshnessPolicy

MatchedFiles: TypeAlias = list[tuple[int, bytes]]  # pictures with matches, and their files' names
Rejected: TypeAlias = dict[str, list[bytes]]  # names of rejected files by reason


class Contents(NamedTuple):
    """What a seal says of its block."""

    oldest: float | None  # when the oldest answer came
    matched: MatchedFiles
    rejected: Rejected


_FINGERPRINT_BYTES = 16
_NOTHING_MATCHED = msgspec.msgpack.encode([])
_NOTHING_REJECTED = msgspec.msgpack.encode({})
_REJECTED = msgspec.msgpack.Decoder(Rejected)


def fingerprint(entries: Sequence[FileStat]) -> bytes | None:
    """What distinguishes a block of files from every other state of it; None where it has odd names."""
    try:
        written = msgspec.msgpack.encode(entries)
    except UnicodeEncodeError:  # a name that is no UTF-8
        return None
    return hashlib.blake2b(written, digest_size=_FINGERPRINT_BYTES).digest()


class BlockCache:
    """The table of seals."""

    def __init__(self, connection: sqlite3.Connection, realm_id: int, *, writable: bool) -> None:
        self._connection = connection
        self._writable = writable
        self._realm_id = realm_id
        row = connection.execute("SELECT EXISTS (SELECT 1 FROM seals)").fetchone()
        self._any = bool(row[0])

    def look_up(
        self, folder_id: int, first: bytes, found: bytes | None, standing: FreshnessPolicy
    ) -> tuple[MatchedFiles, Rejected] | None:
        """What of a block has matches, and what was rejected; None without a seal that holds."""
        if found is None:
            return None
        row = self._connection.execute(
            "SELECT matched, rejected FROM seals WHERE realm_id = ? AND folder_id = ? AND first_name = ?"
            " AND fingerprint = ? AND rules = ? AND (oldest IS NULL OR oldest >="
            " iif(matched = ?, ?, ?))",
            (
                self._realm_id,
                folder_id,
                first,
                found,
                standing.block_rules,
                _NOTHING_MATCHED,
                standing.cutoff(matched=False),
                standing.cutoff(matched=True),
            ),
        ).fetchone()
        try:
            return None if row is None else _decoded(row[0], row[1])
        except (msgspec.MsgspecError, TypeError):  # damaged: it is made again
            return None

    def store(
        self,
        folder_id: int,
        first: bytes,
        found: bytes | None,
        standing: FreshnessPolicy,
        contents: Contents,
    ) -> None:
        """Seal a block whose files all have a valid verdict."""
        if found is None or not self._writable:
            return
        self._any = True
        self._connection.execute(
            "INSERT OR REPLACE INTO seals VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._realm_id,
                folder_id,
                first,
                found,
                standing.block_rules,
                contents.oldest,
                msgspec.msgpack.encode(contents.matched),
                msgspec.msgpack.encode(contents.rejected),
            ),
        )

    def invalidate_folder(self, folder: bytes) -> None:
        """A file of the folder gets another verdict."""
        if self._any:
            self._connection.execute(
                "DELETE FROM seals WHERE realm_id = ?"
                " AND folder_id = (SELECT id FROM folders WHERE path = ?)",
                (self._realm_id, folder),
            )

    def invalidate_picture(self, picture_id: int) -> None:
        """A picture gets another answer."""
        if self._any:
            self._connection.execute(
                "DELETE FROM seals WHERE realm_id = ?"
                " AND folder_id IN (SELECT folder_id FROM files WHERE picture_id = ?)",
                (self._realm_id, picture_id),
            )

    def uncached_folders(self, after: int, most: int) -> list[int]:
        """Some folders without a seal, by number, in their order."""
        rows = self._connection.execute(
            "SELECT id FROM folders f WHERE id > ? AND NOT EXISTS"
            " (SELECT 1 FROM seals s WHERE s.realm_id = ? AND s.folder_id = f.id)"
            " ORDER BY id LIMIT ?",
            (after, self._realm_id, most),
        )
        return [row[0] for row in rows]


def _decoded(matched: bytes, rejected: bytes) -> tuple[MatchedFiles, Rejected]:
    names = {} if rejected == _NOTHING_REJECTED else _REJECTED.decode(rejected)
    return msgspec.msgpack.decode(matched, type=MatchedFiles), names
