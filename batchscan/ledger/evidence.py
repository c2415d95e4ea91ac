"""Reading evidence about a picture: all answers verbatim, and the facts around them."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from batchscan.errors import StorageError
from batchscan.ledger.equals import read_sent
from batchscan.ledger.known import ANSWER_COLUMNS, StoredAnswer
from batchscan.ledger.match_history import MatchHistory
from batchscan.ledger.versions import versions_of
from batchscan.model import Sent
from batchscan.report_sections import Version
from batchscan.util.paths import join_path, split_path

_MATCHED = "EXISTS (SELECT 1 FROM sightings m WHERE m.picture_id = p.id)"
_AT_PATH = (
    "p.id IN (SELECT f.picture_id FROM files f JOIN folders d ON d.id = f.folder_id"
    " WHERE d.path = ? AND f.name = ? UNION SELECT c.picture_id FROM claims c WHERE c.path = ?)"
)


@dataclass(frozen=True, slots=True)
class EvidencePicture:
    """A content that was sent."""

    id: int
    paths: tuple[bytes, ...]  # its known files, or the one it was sent from
    sha256: str
    size: int  # bytes
    format: str
    width: int
    height: int
    provenance: bytes | None  # JSON; None if it was never read
    versions: tuple[Version, ...] = ()  # other versions that these answers cover


@dataclass(frozen=True, slots=True)
class EvidenceAnswer:
    """An answer, and the request that it answers."""

    answer: StoredAnswer
    path: bytes | None  # from which the picture was sent
    asked_at: float | None  # when it was first sent
    sent: Sent | None = None  # if other bytes than the file's were sent


class EvidenceReader:
    """Reads the evidence of this realm."""

    def __init__(
        self, connection: sqlite3.Connection, realm_id: int, history: MatchHistory
    ) -> None:
        self._connection = connection
        self._realm_id = realm_id
        self._history = history

    def service(self) -> tuple[str, bool]:
        """The address of the service, and whether it was asked for mock answers."""
        row = self._connection.execute(
            "SELECT api_url, sandbox FROM realms WHERE id = ?", (self._realm_id,)
        ).fetchone()
        return row[0], bool(row[1])

    def pictures_on(self, covers: Callable[[str], bool], domain: str | None) -> set[int]:
        """The pictures that have or had a match at a covered URL.

        Args:
            covers: whether a match's URL is covered.
            domain: the registrable domain that all of them share; None if they do not.
        """
        rows = self._connection.execute(
            "SELECT m.picture_id, m.url FROM sightings m JOIN pictures p ON p.id = m.picture_id"
            " WHERE p.realm_id = ? AND (? IS NULL OR m.domain = ?)",
            (self._realm_id, domain, domain),
        )
        return {picture_id for picture_id, url in rows if covers(url)}

    def pictures_at(self, path: bytes, sha256: str | None) -> dict[int, bool]:
        """The contents known at a path, and whether each ever had a match.

        Args:
            path: absolute, links unresolved.
            sha256: of the file that is there now, which is found under other paths, too.
        """
        content = bytes.fromhex(sha256) if sha256 else None
        rows = self._connection.execute(
            f"SELECT p.id, {_MATCHED} FROM pictures p WHERE p.realm_id = ?"
            f" AND (p.sha256 = ? OR {_AT_PATH})",
            (self._realm_id, content, *split_path(path), path),
        )
        return {picture_id: bool(matched) for picture_id, matched in rows}

    def matched_paths(self) -> Iterator[bytes]:
        """The paths of the pictures that have or had a match."""
        rows = self._connection.execute(
            "SELECT d.path, f.name FROM pictures p JOIN files f ON f.picture_id = p.id"
            f" JOIN folders d ON d.id = f.folder_id WHERE p.realm_id = ? AND {_MATCHED}",
            (self._realm_id,),
        )
        yield from (join_path(folder, name) for folder, name in rows)

    def in_order(self, pictures: set[int]) -> list[int]:
        """The pictures sorted by SHA-256."""
        rows = self._connection.execute(
            "SELECT id FROM pictures WHERE realm_id = ? ORDER BY sha256", (self._realm_id,)
        )
        return [row[0] for row in rows if row[0] in pictures]

    def picture(self, picture_id: int) -> EvidencePicture:
        """One picture."""
        row = self._connection.execute(
            "SELECT lower(hex(p.sha256)), p.bytes, p.format, p.width, p.height,"
            " iif(typeof(o.provenance) = 'blob', o.provenance, NULL)"
            " FROM pictures p LEFT JOIN portraits o ON o.picture_id = p.id WHERE p.id = ?",
            (picture_id,),
        ).fetchone()
        sent_from = self._connection.execute(
            "SELECT path FROM claims WHERE picture_id = ? ORDER BY generation", (picture_id,)
        )
        paths = (*self._history.paths_of(picture_id), *(path for (path,) in sent_from))
        versions = versions_of(self._connection, picture_id)
        covered = {version.path for version in versions}
        own = tuple(path for path in dict.fromkeys(paths) if path not in covered)
        return replace(EvidencePicture(picture_id, own, *row), versions=versions)

    def answers(self, picture_id: int) -> Iterator[EvidenceAnswer]:
        """All answers about a picture, the oldest first.

        Raises:
            StorageError: one cannot be read.
        """
        rows = self._connection.execute(
            f"SELECT c.path, c.opened_at, c.sent, {ANSWER_COLUMNS} FROM answers a"
            " LEFT JOIN claims c ON c.scan_id = a.scan_id WHERE a.picture_id = ?"
            " ORDER BY a.generation, a.id",
            (picture_id,),
        )
        for path, asked_at, sent, *columns in rows:
            try:
                answer = StoredAnswer.of(columns)
            except zlib.error as error:
                raise StorageError(
                    f"the stored answer of scan {columns[3]} cannot be read: {error}",
                    advice="restore the ledger from a backup",
                ) from error
            yield EvidenceAnswer(answer, path, asked_at, read_sent(sent))

    def marked(self, picture_id: int) -> dict[str, float]:
        """The times of the last decisions about a picture's matches, by normalized URL."""
        rows = self._connection.execute(
            "SELECT key, marked_at FROM sightings WHERE picture_id = ? AND marked_at IS NOT NULL",
            (picture_id,),
        )
        return dict(rows.fetchall())
