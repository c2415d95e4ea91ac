"""What was at matches' addresses when they were captured: which files hold it, and where in them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from batchscan.enums import CaptureKind
from batchscan.ledger.dispositions import MatchKey


@dataclass(frozen=True, slots=True)
class CapturedResource:
    """One address of a match, and what was there."""

    kind: CaptureKind
    url: str
    http_status: int | None  # None where nothing was answered
    trouble: str | None = None  # why, or why it is not whole
    position: int | None = None  # of its record in the file, in bytes; None without a record
    sha256: str | None = None  # of the body without transfer and content coding
    size: int | None = None  # bytes
    media_type: str | None = None
    preview: bytes | None = field(default=None, repr=False)  # a small JPEG made by us
    fingerprint: bytes | None = field(default=None, repr=False)  # by which pictures are compared
    likeness: float | None = None  # of their picture to what was first fetched there, 0 to 1
    our_likeness: float | None = None  # to our picture, 0 to 1


@dataclass(frozen=True, slots=True)
class Timestamp:
    """What a timestamp authority answered about a file (RFC 3161)."""

    url: str
    response: bytes = field(repr=False)  # verbatim
    at: float | None  # seconds since 1970, as it says; None where it could not be checked


class KeptFile(NamedTuple):
    """A file in the state folder's `captures`, as it was written."""

    name: str
    size: int  # bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class CaptureFile:
    """A WARC file with everything that was captured of one match at one time."""

    name: str  # in the state folder's `captures`
    size: int  # bytes
    sha256: str
    captured_at: float  # seconds since 1970
    who: str
    resources: tuple[CapturedResource, ...]
    timestamp: Timestamp | None = None

    @property
    def kept(self) -> KeptFile:
        """The file itself."""
        return KeptFile(self.name, self.size, self.sha256)


class CapturePreview(NamedTuple):
    """The newest look at the picture of a match."""

    url: str
    captured_at: float
    sha256: str
    jpeg: bytes
    likeness: float | None  # to what was first fetched there, 0 to 1; None when it was the first
    our_likeness: float | None  # to our picture, 0 to 1


class Captures:
    """The tables of captures."""

    def __init__(self, connection: sqlite3.Connection, realm_id: int) -> None:
        self._connection = connection
        self._realm_id = realm_id

    def add(self, place: MatchKey, file: CaptureFile) -> int:
        """Enter a capture of a match whose file is whole on disk; gives its number."""
        stamp = file.timestamp
        (number,) = self._connection.execute(
            "INSERT INTO capture_files (picture_id, key, name, bytes, sha256, captured_at, who,"
            " timestamp_url, timestamp, timestamped_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " RETURNING id",
            (
                *place,
                file.name,
                file.size,
                bytes.fromhex(file.sha256),
                file.captured_at,
                file.who,
                *((stamp.url, stamp.response, stamp.at) if stamp else (None, None, None)),
            ),
        ).fetchone()
        self._connection.executemany(
            "INSERT INTO captures (file_id, kind, url, http_status, trouble, position, sha256,"
            " bytes, media_type, preview, fingerprint, likeness, our_likeness)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (_row(number, resource) for resource in file.resources),
        )
        return int(number)

    def of_match(self, picture_id: int, key: str) -> list[CaptureFile]:
        """Every capture of a match, the oldest first."""
        return list(self._files("AND f.picture_id = ? AND f.key = ?", (picture_id, key)))

    def of_picture(self, picture_id: int) -> dict[str, list[CaptureFile]]:
        """Every capture of a picture's matches by the match's key, the oldest first."""
        keys = self._connection.execute(
            "SELECT DISTINCT key FROM capture_files WHERE picture_id = ?", (picture_id,)
        )
        return {key: self.of_match(picture_id, key) for (key,) in keys.fetchall()}

    def preview(self, picture_id: int, key: str) -> CapturePreview | None:
        """What the picture at a match's address looked like when it was captured last."""
        row = self._connection.execute(
            "SELECT c.url, f.captured_at, lower(hex(c.sha256)), c.preview, c.likeness,"
            " c.our_likeness FROM capture_files f JOIN captures c ON c.file_id = f.id WHERE f.picture_id = ? AND f.key = ?"
            " AND c.kind = 'picture' AND c.preview IS NOT NULL ORDER BY f.captured_at DESC LIMIT 1",
            (picture_id, key),
        ).fetchone()
        return CapturePreview(*row) if row else None

    def captured(self) -> Iterator[tuple[int, str, float]]:
        """Every match of this realm that was captured, and when it was last."""
        yield from self._connection.execute(
            "SELECT f.picture_id, f.key, max(f.captured_at) FROM capture_files f"
            " JOIN pictures p ON p.id = f.picture_id WHERE p.realm_id = ? GROUP BY 1, 2",
            (self._realm_id,),
        )

    def _files(self, where: str, values: Sequence[object]) -> Iterator[CaptureFile]:
        rows = self._connection.execute(
            "SELECT f.id, f.name, f.bytes, lower(hex(f.sha256)), f.captured_at, f.who,"
            " f.timestamp_url, f.timestamp, f.timestamped_at FROM capture_files f"
            f" WHERE true {where} ORDER BY f.captured_at, f.id",
            values,
        )
        for number, name, size, sha256, at, who, url, response, stamped_at in rows.fetchall():
            stamp = None if response is None else Timestamp(url or "", response, stamped_at)
            resources = tuple(self._resources(number))
            yield CaptureFile(name, size, sha256, at, who, resources, stamp)

    def _resources(self, number: int) -> Iterator[CapturedResource]:
        rows = self._connection.execute(
            "SELECT kind, url, http_status, trouble, position, lower(hex(sha256)), bytes,"
            " media_type, preview, fingerprint, likeness, our_likeness FROM captures WHERE file_id = ? ORDER BY id",
            (number,),
        )
        for kind, url, status, trouble, position, sha256, *rest in rows:
            yield CapturedResource(
                CaptureKind(kind), url, status, trouble, position, sha256 or None, *rest
            )


def kept_files(connection: sqlite3.Connection) -> list[KeptFile]:
    """Every capture's file, of all realms; none of a ledger that is too old to know any."""
    tables = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'capture_files')"
    if not connection.execute(tables).fetchone()[0]:
        return []
    rows = connection.execute("SELECT name, bytes, lower(hex(sha256)) FROM capture_files")
    return [KeptFile(*row) for row in rows]


def _row(number: int, resource: CapturedResource) -> tuple[object, ...]:
    return (
        number,
        resource.kind.value,
        resource.url,
        resource.http_status,
        resource.trouble,
        resource.position,
        bytes.fromhex(resource.sha256) if resource.sha256 else None,
        resource.size,
        resource.media_type,
        resource.preview,
        resource.fingerprint,
        resource.likeness,
        resource.our_likeness,
    )
