"""Reading one match and its picture with all details, for the review page."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from batchscan.ledger.decision_history import DecisionHistory
from batchscan.ledger.match_history import PRESENT
from batchscan.ledger.match_rows import MatchKey, decoded_pages
from batchscan.ledger.preview_values import jpeg_in
from batchscan.report_sections import MatchDecision
from batchscan.util.paths import join_path

MAX_FILES = 50  # of one picture that are listed or searched


class PictureFile(NamedTuple):
    """A known file of a picture, and its content."""

    path: bytes
    size: int  # bytes
    sha256: str


class SiteSize(NamedTuple):
    """How many matches and pictures of ours are on a site now."""

    matches: int
    pictures: int


class PictureVersion(NamedTuple):
    """Another content that shares a picture's answer: covered, or with the same sent bytes."""

    format: str
    width: int
    height: int
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """Details of one of our pictures."""

    id: int
    sha256: str
    size: int  # bytes
    format: str
    width: int
    height: int
    versions: tuple[PictureVersion, ...]
    has_thumbnail: bool
    files: tuple[PictureFile, ...]
    matches: int  # present ones
    sites: int  # with present matches


@dataclass(frozen=True, slots=True)
class MatchFacts:
    """Details of a match."""

    pages: tuple[str, ...]
    first_seen: float
    last_seen: float
    marked_at: float | None
    pictures: int  # of ours with a match at the same address
    decisions: tuple[MatchDecision, ...]  # the newest first


class ReviewDetails:
    """Reads single matches of this realm."""

    def __init__(self, connection: sqlite3.Connection, realm_id: int) -> None:
        self._connection = connection
        self._realm_id = realm_id
        self._decisions = DecisionHistory(connection)

    def match(self, place: MatchKey) -> MatchFacts | None:
        """The details of a match; None without one."""
        row = self._connection.execute(
            "SELECT m.pages, m.first_seen, m.last_seen, m.marked_at, (SELECT count(*)"
            " FROM sightings o WHERE o.domain = m.domain AND o.key = m.key) FROM sightings m"
            " JOIN pictures p ON p.id = m.picture_id WHERE m.picture_id = ? AND m.key = ?"
            " AND p.realm_id = ?",
            (*place, self._realm_id),
        ).fetchone()
        if row is None:
            return None
        pages, first_seen, last_seen, marked_at, pictures = row
        return MatchFacts(
            pages=decoded_pages(pages),
            first_seen=first_seen,
            last_seen=last_seen,
            marked_at=marked_at,
            pictures=pictures,
            decisions=self._decisions.of_match(place),
        )

    def site(self, domain: str) -> SiteSize:
        """How much of ours is on a site now; slow for a site with many matches."""
        row = self._connection.execute(
            "SELECT count(*), count(DISTINCT m.picture_id) FROM sightings m CROSS JOIN pictures p"
            f" ON p.id = m.picture_id WHERE m.domain = ? AND p.realm_id = ? AND {PRESENT}",
            (domain, self._realm_id),
        ).fetchone()
        return SiteSize(*row)

    def picture(self, picture_id: int) -> PictureFacts | None:
        """The details of a picture; None without one."""
        row = self._connection.execute(
            "SELECT lower(hex(p.sha256)), p.bytes, p.format, p.width, p.height,"
            " EXISTS (SELECT 1"
            " FROM portraits o WHERE o.picture_id = p.id AND typeof(o.thumbnail) = 'blob') FROM pictures p"
            " WHERE p.id = ? AND p.realm_id = ?",
            (picture_id, self._realm_id),
        ).fetchone()
        if row is None:
            return None
        counts = self._connection.execute(
            "SELECT count(*), count(DISTINCT m.domain) FROM sightings m JOIN pictures p"
            f" ON p.id = m.picture_id WHERE m.picture_id = ? AND {PRESENT}",
            (picture_id,),
        ).fetchone()
        sha256, size, form, width, height, has_thumbnail = row
        matches, sites = counts
        return PictureFacts(
            picture_id,
            sha256,
            size,
            form,
            width,
            height,
            versions=tuple(self._versions(picture_id)),
            has_thumbnail=bool(has_thumbnail),
            files=self.files(picture_id),
            matches=matches,
            sites=sites,
        )

    def files(self, picture_id: int) -> tuple[PictureFile, ...]:
        """The known files of a picture, or the one it was sent from."""
        rows = self._connection.execute(
            "SELECT d.path, f.name, f.size, lower(hex(coalesce(f.sha256, p.sha256)))"
            " FROM files f JOIN folders d ON d.id = f.folder_id JOIN pictures p"
            " ON p.id = f.picture_id WHERE f.picture_id = ? AND p.realm_id = ?"
            " ORDER BY f.sha256 NOT NULL LIMIT ?",  # files of the answered content first
            (picture_id, self._realm_id, MAX_FILES),
        ).fetchall()
        if rows:
            return tuple(
                PictureFile(join_path(folder, name), size, sha256)
                for folder, name, size, sha256 in rows
            )
        sent = self._connection.execute(
            "SELECT c.path, p.bytes, lower(hex(p.sha256)) FROM claims c"
            " JOIN pictures p ON p.id = c.picture_id WHERE p.id = ? AND p.realm_id = ?"
            " ORDER BY c.generation DESC LIMIT 1",
            (picture_id, self._realm_id),
        )
        return tuple(PictureFile(*row) for row in sent)

    def thumbnail(self, picture_id: int) -> bytes | None:
        """The thumbnail that was made when the picture was scanned; None without one."""
        row = self._connection.execute(
            "SELECT o.thumbnail FROM portraits o JOIN pictures p ON p.id = o.picture_id"
            " WHERE p.id = ? AND p.realm_id = ?",
            (picture_id, self._realm_id),
        ).fetchone()
        return jpeg_in(row[0]) if row else None

    def _versions(self, picture_id: int) -> Iterator[PictureVersion]:
        rows = self._connection.execute(
            "SELECT e.format, e.width, e.height, e.bytes FROM files f JOIN equals e"
            " ON e.realm_id = f.realm_id AND e.sha256 = f.sha256 WHERE f.picture_id = ?1"
            " UNION SELECT c.format, c.width, c.height, c.bytes FROM covered c"
            " WHERE c.picture_id = ?1 ORDER BY 4 DESC LIMIT ?2",
            (picture_id, MAX_FILES),
        )
        return (PictureVersion(*row) for row in rows)
