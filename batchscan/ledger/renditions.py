"""Versions of one picture in the ledger: fingerprints, covered contents, decisions of people."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from typing import Final, NamedTuple

from batchscan.ledger.block_cache import BlockCache
from batchscan.ledger.rendition_files import (
    FINGERPRINT,
    SOUND_FINGERPRINT,
    Hashes,
    RenditionFile,
    RenditionFiles,
    fingerprint_in,
    with_thumbnail,
)
from batchscan.ledger.rendition_verdicts import RenditionDecisions
from batchscan.ledger.versions import ASKED_PATH, COVERED_FILE
from batchscan.model import Candidate, Stat
from batchscan.rendition_types import CoveredBy, Fingerprint
from batchscan.util.paths import join_path, split_path

_ANSWERED: Final = (
    " FROM fingerprints g CROSS JOIN pictures p ON p.realm_id = ? AND p.sha256 = g.sha256"
    " JOIN answers a ON a.id = p.answer_id WHERE a.trouble IS NULL AND a.reader IS NOT NULL"
    f" AND {SOUND_FINGERPRINT}"
)
_MAX_FILES: Final = 20  # of one content that are tried or shown


class Cover(NamedTuple):
    """The answered picture that covers a content, and why."""

    picture_id: int  # of the answered picture
    by: CoveredBy
    size: tuple[int, int] = (0, 0)  # of the covered one, in pixels


class CoveredFile(NamedTuple):
    """A file that is covered by the answer of another version."""

    path: str
    bytes: int
    width: int
    height: int
    cover: Cover
    asked_width: int  # of the picture that was sent
    asked_height: int
    sha256: str
    asked: bool  # whether it was sent all the same
    covers: bool  # whether its own answer covers others


class Renditions:
    """The tables of fingerprints and covered contents, and the decisions about versions."""

    def __init__(self, connection: sqlite3.Connection, realm_id: int, seals: BlockCache) -> None:
        self._connection = connection
        self._seals = seals
        self._realm_id = realm_id
        self.files = RenditionFiles(connection)
        self.decisions = RenditionDecisions(connection)

    def keep(self, sha256: str, fingerprint: Fingerprint | None) -> None:
        """Store a content's fingerprint, which never changes; None if it cannot have one.

        A damaged one is replaced.
        """
        columns = (b"", 0.0, 0, 0, "") if fingerprint is None else fingerprint[:5]
        self._connection.execute(
            "INSERT INTO fingerprints AS g VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (sha256) DO UPDATE SET hash = excluded.hash, detail = excluded.detail,"
            " width = excluded.width, height = excluded.height, taken = excluded.taken"
            f" WHERE NOT {SOUND_FINGERPRINT}",
            (bytes.fromhex(sha256), *columns),
        )

    def keep_in_this_process(self) -> None:
        """Have fingerprints kept from now on for this process only: a dry run writes nothing."""
        self._connection.execute(
            "CREATE TEMP TABLE IF NOT EXISTS fingerprints (sha256 BLOB PRIMARY KEY, hash, detail,"
            " width, height, taken) WITHOUT ROWID"
        )
        # A temporary table hides the other one of its name.
        self._connection.execute(
            "INSERT OR IGNORE INTO temp.fingerprints SELECT * FROM main.fingerprints"
        )

    def fingerprint(self, sha256: str) -> tuple[bool, Fingerprint | None]:
        """Whether a content's fingerprint was computed, and the fingerprint."""
        row = self._connection.execute(
            f"SELECT {FINGERPRINT} FROM fingerprints g WHERE sha256 = ? AND {SOUND_FINGERPRINT}",
            (bytes.fromhex(sha256),),
        ).fetchone()
        return row is not None, fingerprint_in(row) if row else None

    def answered(self, run_id: str, after: bytes, limit: int) -> list[Hashes]:
        """Fingerprints of pictures that other runs got answers for, by SHA-256."""
        rows = self._connection.execute(
            f"SELECT p.id, g.sha256, {FINGERPRINT}{_ANSWERED} AND a.run_id <> ?"
            " AND g.sha256 > ? AND g.hash <> x'' ORDER BY g.sha256 LIMIT ?",
            (self._realm_id, run_id, after, limit),
        )
        return list(map(Hashes._make, rows))

    def answered_file(self, picture_id: int) -> RenditionFile | None:
        """An answered picture with its files; None if none is known any more."""
        rows = self._connection.execute(
            "SELECT d.path, f.name, f.size, f.mtime_ns, f.ctime_ns, p.sha256, p.format, p.width,"
            " p.height, c.sent IS NOT NULL AND c.sent LIKE '%\"r1\"%', t.pixels,"
            f" {FINGERPRINT}"
            " FROM pictures p JOIN files f ON f.picture_id = p.id AND f.sha256 IS NULL"
            " JOIN folders d ON d.id = f.folder_id JOIN answers a ON a.id = p.answer_id"
            " JOIN claims c ON c.scan_id = a.scan_id JOIN fingerprints g ON g.sha256 = p.sha256"
            " LEFT JOIN rendition_thumbnails t ON t.sha256 = p.sha256"
            f" WHERE p.id = ? AND {SOUND_FINGERPRINT} ORDER BY length(d.path) + length(f.name), d.path, f.name LIMIT ?",
            (picture_id, _MAX_FILES),
        ).fetchall()
        if not rows:
            return None
        candidates = [
            Candidate(os.fsdecode(join_path(folder, name)), Stat(*stat))
            for folder, name, *stat in (row[:5] for row in rows)
        ]
        sha256, form, width, height, converted, pixels, *fingerprint_columns = rows[0][5:]
        file = RenditionFile(
            candidates[0],
            candidates[0].stat or Stat(0, 0, 0),
            sha256.hex(),
            form,
            width,
            height,
            bool(converted),
            True,
            fingerprint_in(fingerprint_columns),
            elsewhere=tuple(candidates[1:]),
        )
        return with_thumbnail(file, pixels) if pixels else file

    def unprinted(self, after: int, limit: int) -> list[tuple[int, Candidate]]:
        """Answered pictures without a fingerprint, by id, each with a file of it."""
        rows = self._connection.execute(
            "SELECT p.id, d.path, min(f.name), f.size, f.mtime_ns, f.ctime_ns FROM pictures p"
            " JOIN files f ON f.picture_id = p.id AND f.sha256 IS NULL"
            " JOIN folders d ON d.id = f.folder_id"
            " WHERE p.realm_id = ? AND p.id > ? AND p.answer_id NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM fingerprints g WHERE g.sha256 = p.sha256"
            f" AND {SOUND_FINGERPRINT})"
            " GROUP BY p.id ORDER BY p.id LIMIT ?",
            (self._realm_id, after, limit),
        )
        return [
            (number, Candidate(os.fsdecode(join_path(folder, name)), Stat(*stat)))
            for number, folder, name, *stat in rows
        ]

    def cover(self, file: RenditionFile, cover: Cover, preview: bytes | None = None) -> None:
        """Store what covers a content, and its preview."""
        by = cover.by
        self._connection.execute(
            "INSERT OR REPLACE INTO covered VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._realm_id,
                bytes.fromhex(file.sha256),
                cover.picture_id,
                bytes.fromhex(by.sha256),
                os.fsencode(by.path),
                *(by.distance, by.difference, by.rule),
                *(file.stat.size, file.format, file.width, file.height),
                preview,
            ),
        )

    def lacks_preview(self, sha256: str) -> bool:
        """Whether nothing is kept of what a covered content looks like."""
        row = self._connection.execute(
            "SELECT 1 FROM covered WHERE realm_id = ? AND sha256 = ? AND preview IS NULL",
            (self._realm_id, bytes.fromhex(sha256)),
        ).fetchone()
        return row is not None

    def keep_preview(self, sha256: str, preview: bytes) -> None:
        """Keep what a covered content looks like."""
        self._connection.execute(
            "UPDATE covered SET preview = ? WHERE realm_id = ? AND sha256 = ?",
            (preview, self._realm_id, bytes.fromhex(sha256)),
        )

    def covered(self, sha256: str) -> Cover | None:
        """The cover of a content; None without one."""
        row = self._connection.execute(
            "SELECT width, height, picture_id, by_path, by_sha256, distance, difference, rule"
            " FROM covered"
            " WHERE realm_id = ? AND sha256 = ?",
            (self._realm_id, bytes.fromhex(sha256)),
        ).fetchone()
        if row is None:
            return None
        width, height, picture_id, path, by, *how = row
        covered_by = CoveredBy(os.fsdecode(path), by.hex(), *how)
        return Cover(picture_id, covered_by, (width, height))

    def covered_files(self) -> Iterator[CoveredFile]:
        """All files that are versions of an answered picture, by picture, the largest first."""
        columns = (
            "SELECT d.path, f.name, v.bytes, v.width, v.height, v.picture_id,"
            f" coalesce({ASKED_PATH}, v.by_path) AS asked_path,"
            " v.by_sha256, v.distance, v.difference, v.rule, p.width, p.height, v.sha256"
        )
        rows = self._connection.execute(
            f"SELECT * FROM ({columns}, 0, 0 FROM covered v JOIN pictures p ON p.id = v.picture_id"
            f" JOIN files f ON {COVERED_FILE} JOIN folders d ON d.id = f.folder_id"
            f" WHERE v.realm_id = ?1 UNION ALL {columns}, 1,"
            " EXISTS (SELECT 1 FROM covered o WHERE o.picture_id = own.id) FROM covered v"
            " JOIN pictures p ON p.id = v.picture_id"
            " JOIN pictures own ON own.realm_id = v.realm_id AND own.sha256 = v.sha256"
            " JOIN files f ON f.picture_id = own.id AND f.sha256 IS NULL"
            " JOIN folders d ON d.id = f.folder_id WHERE v.realm_id = ?1)"
            " ORDER BY asked_path, by_sha256, width * height DESC, path, name",
            (self._realm_id,),
        )
        for folder, name, size, width, height, picture_id, path, by, *rest in rows:
            distance, difference, rule, asked_width, asked_height, sha256, asked, covers = rest
            covered_by = CoveredBy(os.fsdecode(path), by.hex(), distance, difference, rule)
            yield CoveredFile(
                os.fsdecode(join_path(folder, name)),
                size,
                width,
                height,
                Cover(picture_id, covered_by),
                asked_width,
                asked_height,
                sha256.hex(),
                bool(asked),
                bool(covers),
            )

    def files_of(self, picture_id: int, asked_path: str) -> list[str]:
        """Up to `_MAX_FILES` files of a picture that was sent, the one at `asked_path` first."""
        folder, name = split_path(os.fsencode(asked_path))
        rows = self._connection.execute(
            "SELECT d.path, f.name FROM files f JOIN folders d ON d.id = f.folder_id"
            " WHERE f.picture_id = ? AND f.sha256 IS NULL"
            " ORDER BY (d.path = ? AND f.name = ?) DESC, length(d.path) + length(f.name), d.path,"
            " f.name LIMIT ?",
            (picture_id, folder, name, _MAX_FILES),
        )
        return [os.fsdecode(join_path(*row)) for row in rows]

    def found(self, file: RenditionFile, by: CoveredBy) -> None:
        """Store that a picture was sent though it is a version of another one."""
        row = self._connection.execute(
            "SELECT id FROM pictures WHERE realm_id = ? AND sha256 = ?",
            (self._realm_id, bytes.fromhex(by.sha256)),
        ).fetchone()
        if row is not None:
            self.cover(file, Cover(row[0], by))

    def content_at(self, path: str) -> str | None:
        """The SHA-256 of the content last seen at a path; None if it is not known."""
        row = self._connection.execute(
            "SELECT coalesce(f.sha256, p.sha256) FROM files f JOIN folders d ON d.id = f.folder_id"
            " LEFT JOIN pictures p ON p.id = f.picture_id"
            " WHERE f.realm_id = ? AND d.path = ? AND f.name = ?",
            (self._realm_id, *split_path(os.fsencode(path))),
        ).fetchone()
        return row[0].hex() if row is not None and row[0] is not None else None

    def uncover(self, sha256: str) -> int:
        """Remove all covers by or of a content; returns how many contents have no answer now.

        Their files are opened again by the next scan.
        """
        content = bytes.fromhex(sha256)
        rows = self._connection.execute(
            "SELECT sha256, picture_id, EXISTS (SELECT 1 FROM pictures p WHERE p.sha256 = c.sha256"
            " AND p.realm_id = c.realm_id AND p.answer_id NOT NULL)"
            " FROM covered c WHERE realm_id = ? AND (sha256 = ? OR by_sha256 = ?)",
            (self._realm_id, content, content),
        ).fetchall()
        for covered, picture_id, _ in rows:
            self._seals.invalidate_picture(picture_id)
            self._connection.execute(
                "DELETE FROM files WHERE picture_id = ? AND sha256 = ?", (picture_id, covered)
            )
            self._connection.execute(
                "DELETE FROM covered WHERE realm_id = ? AND sha256 = ?", (self._realm_id, covered)
            )
        return sum(not answered for _, _, answered in rows)
