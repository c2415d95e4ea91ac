"""The state in which files got their final verdicts; unchanged files need not be opened again."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from batchscan.ledger.block_cache import BlockCache, Contents, MatchedFiles, Rejected, fingerprint
from batchscan.ledger.freshness import FileStat, FreshnessPolicy
from batchscan.ledger.rejections import Rejections
from batchscan.ledger.report_view import ReportPictures
from batchscan.ledger.rescan_queue import DueRescan
from batchscan.model import Stat
from batchscan.util.paths import join_path, split_path

# Names in one statement; the driver caches the prepared statement for each length.
NAMES_A_QUERY = 500
FOLDERS_A_TURN = 200  # cached in one transaction
MAX_CACHED = 10_000  # files of a folder; a larger one is walked in several blocks


class _FileRow(NamedTuple):
    """The row of a file."""

    name: bytes
    size: int
    mtime_ns: int
    ctime_ns: int
    rules: str | None
    picture_id: int | None
    run_id: str | None  # of its answer
    received_at: float | None
    matched: int  # whether the picture has, or had, matches
    unread: int = 0  # whether an answer about it has not been parsed yet
    reason: str | None = None  # why it was rejected
    covered: int = 0  # by the answer of another version of the same picture


_ROWS = (
    "SELECT f.name, f.size, f.mtime_ns, f.ctime_ns, f.rules, f.picture_id, a.run_id,"
    " a.received_at,"
    " EXISTS (SELECT 1 FROM sightings m WHERE m.picture_id = f.picture_id),"
    " EXISTS (SELECT 1 FROM answers b WHERE b.picture_id = f.picture_id AND b.reader IS NULL),"
    " CASE WHEN f.rules IS NOT NULL THEN json_extract(CAST(f.line AS TEXT), '$.reason') END,"
    " f.sha256 IS NOT NULL AND EXISTS (SELECT 1 FROM covered v WHERE v.realm_id = f.realm_id"
    " AND v.sha256 = f.sha256 AND v.picture_id = f.picture_id)"
    " FROM files f LEFT JOIN pictures p ON p.id = f.picture_id"
    " LEFT JOIN answers a ON a.id = p.answer_id"
    " WHERE f.realm_id = ? AND f.folder_id = ?"
)


@dataclass(slots=True)
class BlockStatus:
    """A block of files, classified by comparing them with the ledger."""

    unchanged: int = 0
    unchanged_bytes: int = 0
    rejected: Counter[str] = field(default_factory=Counter)  # of the unchanged, by reason
    changed: list[FileStat] = field(default_factory=list)  # in the block's order
    due_for_rescan: list[DueRescan] = field(default_factory=list)  # unchanged, with an old answer


class FileTable:
    """The table of files: the final verdict on each, and the stat that it had then."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        realm_id: int,
        seals: BlockCache,
        seen: ReportPictures,
    ) -> None:
        self._connection = connection
        self._seen = seen
        self.rejections = Rejections(connection, realm_id)
        self._realm_id = realm_id
        self._block_cache = seals

    def classify(
        self, folder: str, entries: Sequence[FileStat], freshness: FreshnessPolicy
    ) -> BlockStatus:
        """Classify the entries of a folder, and note those with matches as seen.

        Entries must be sorted by the bytes of their names.
        """
        prefix = os.fsencode(folder)
        row = self._connection.execute(
            "SELECT id FROM folders WHERE path = ?", (prefix,)
        ).fetchone()
        if row is None or not entries:
            return BlockStatus(changed=list(entries))
        first, block_fingerprint = os.fsencode(entries[0][0]), fingerprint(entries)
        cached = self._block_cache.look_up(row[0], first, block_fingerprint, freshness)
        if cached is None:
            result, rows = self._compare(row[0], entries, freshness)
            matched, rejected = _matched(rows), _rejected(rows)
            if not (result.changed or result.due_for_rescan):
                self._cache_block(row[0], block_fingerprint, rows, freshness)
        else:
            result = BlockStatus(len(entries), sum(entry[1] for entry in entries))
            matched, rejected = cached
        if rejected:
            self.rejections.saw(row[0], rejected)
        result.rejected.update({reason: len(names) for reason, names in rejected.items()})
        matched_paths = [
            (picture_id, join_path(prefix, name), name) for picture_id, name in matched
        ]
        self._seen.add_unchanged(row[0], matched_paths)
        return result

    def build_cache(self, freshness: FreshnessPolicy, after: int = 0) -> int | None:
        """Put some folders into the block cache.

        Args:
            freshness: which verdicts hold.
            after: the result of the call before; 0 at first.

        Returns:
            The id of the last folder; None after all of them.
        """
        folders = self._block_cache.uncached_folders(after, FOLDERS_A_TURN)
        for folder_id in folders:
            query = f"{_ROWS} ORDER BY f.name LIMIT ?"
            values = (self._realm_id, folder_id, MAX_CACHED + 1)
            rows = list(map(_FileRow._make, self._connection.execute(query, values)))
            current = all(_is_current(row, freshness) for row in rows)
            if current and 0 < len(rows) <= MAX_CACHED:
                block_fingerprint = fingerprint(
                    [(os.fsdecode(row.name), *row[1:4]) for row in rows]
                )
                self._cache_block(folder_id, block_fingerprint, rows, freshness)
        return folders[-1] if folders else None

    def upsert(
        self,
        path: str,
        stat: Stat,
        *,
        picture_id: int | None = None,
        rules: str | None = None,
        line: bytes | None = None,
        sha256: str | None = None,
    ) -> None:
        """Store a file's final verdict: an answered picture, or a rejection under some rules.

        The file's own hash is given if the answer is that of an equal content.
        """
        folder, name = split_path(os.fsencode(path))
        own = bytes.fromhex(sha256) if sha256 else None
        self._block_cache.invalidate_folder(folder)
        self._connection.execute("INSERT OR IGNORE INTO folders (path) VALUES (?)", (folder,))
        self._connection.execute(
            "INSERT OR REPLACE INTO files (realm_id, folder_id, name, size, mtime_ns, ctime_ns,"
            " picture_id, rules, line, sha256)"
            " VALUES (?, (SELECT id FROM folders WHERE path = ?), ?, ?, ?, ?, ?, ?, ?, ?)",
            (self._realm_id, folder, name, *stat, picture_id, rules, line, own),
        )

    def _cache_block(
        self,
        folder_id: int,
        block_fingerprint: bytes | None,
        rows: Sequence[_FileRow],
        freshness: FreshnessPolicy,
    ) -> None:
        contents = Contents(_oldest(rows), _matched(rows), _rejected(rows))
        self._block_cache.store(folder_id, rows[0].name, block_fingerprint, freshness, contents)

    def forget(self, picture_id: int) -> None:
        """Delete the rows of a picture's files, so that the next scan reports them again."""
        self._block_cache.invalidate_picture(picture_id)
        self._connection.execute("DELETE FROM files WHERE picture_id = ?", (picture_id,))

    def has_files_under(self, root: str) -> bool:
        """Whether pictures are known at or below a folder."""
        raw = os.fsencode(root).rstrip(b"/")
        row = self._connection.execute(
            "SELECT 1 FROM folders JOIN files ON folder_id = folders.id AND realm_id = ?"
            " WHERE folders.path = ? OR (folders.path >= ? AND folders.path < ?) LIMIT 1",
            (self._realm_id, raw or b"/", raw + b"/", raw + b"0"),  # "0" follows "/"
        ).fetchone()
        return row is not None

    def _compare(
        self, folder_id: int, entries: Sequence[FileStat], freshness: FreshnessPolicy
    ) -> tuple[BlockStatus, list[_FileRow]]:
        """Classify entries by their rows; also returns the rows of the unchanged ones."""
        known_rows = self._known(folder_id, [os.fsencode(entry[0]) for entry in entries])
        result, rows = BlockStatus(), []
        for entry, row in zip(entries, known_rows, strict=True):
            if row is None or row[1:4] != entry[1:]:
                result.changed.append(entry)
            elif _is_current(row, freshness):
                result.unchanged += 1
                result.unchanged_bytes += entry[1]
                rows.append(row)
            elif row.rules is None and row.received_at is not None and _holds(row, freshness):
                age = freshness.effective_time(row.received_at, matched=bool(row.matched))
                result.due_for_rescan.append(DueRescan(entry, age, bool(row.covered)))
                rows.append(row)
            else:
                result.changed.append(entry)
        return result, rows

    def _known(self, folder_id: int, names: list[bytes]) -> Iterator[_FileRow | None]:
        """The row of each name, or None."""
        for start in range(0, len(names), NAMES_A_QUERY):
            batch = names[start : start + NAMES_A_QUERY]
            marks = ",".join("?" * len(batch))
            query = f"{_ROWS} AND f.name IN ({marks})"
            stored = self._connection.execute(query, (self._realm_id, folder_id, *batch))
            rows = {row.name: row for row in map(_FileRow._make, stored)}
            yield from (rows.get(name) for name in batch)


def _holds(row: _FileRow, freshness: FreshnessPolicy) -> bool:
    """Whether a row has a verdict that this run accepts, of whatever age."""
    return not row.unread and (freshness.covers or not row.covered)


def _is_current(row: _FileRow, freshness: FreshnessPolicy) -> bool:
    return _holds(row, freshness) and freshness.is_current(
        row.rules, row.run_id, row.received_at, matched=bool(row.matched)
    )


def _oldest(rows: Iterable[_FileRow]) -> float | None:
    times = [row.received_at for row in rows if row.rules is None and row.received_at is not None]
    return min(times, default=None)


def _matched(rows: Iterable[_FileRow]) -> MatchedFiles:
    """The matched files; of a picture's versions, the one that was sent."""
    with_picture = [row for row in rows if row.matched and row.picture_id]
    with_picture.sort(key=lambda row: row.covered)
    return [(row.picture_id, row.name) for row in with_picture if row.picture_id]


def _rejected(rows: Iterable[_FileRow]) -> Rejected:
    names: Rejected = {}
    for row in rows:
        if row.reason is not None:
            names.setdefault(row.reason, []).append(row.name)
    return names
