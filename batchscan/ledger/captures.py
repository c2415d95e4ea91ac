"""Captures of matches: which WARC file and record holds the content of which address."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from batchscan.enums import CaptureKind
from batchscan.ledger.match_rows import MatchKey


@dataclass(frozen=True, slots=True)
class CapturedResource:
    """One address of a match, and its content."""

    kind: CaptureKind
    url: str
    http_status: int | None  # None without an answer
    trouble: str | None = None  # why there is no answer, or why it is incomplete
    position: int | None = None  # of its record in the file, in bytes; None without a record
    sha256: str | None = None  # of the body without transfer and content coding
    size: int | None = None  # bytes
    media_type: str | None = None
    preview: bytes | None = field(default=None, repr=False)  # a small JPEG made by us
    fingerprint: bytes | None = field(default=None, repr=False)  # to compare pictures
    likeness: float | None = None  # to the picture first fetched there, 0 to 1
    our_likeness: float | None = None  # to our picture, 0 to 1


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A timestamp authority's response for a file (RFC 3161)."""

    url: str
    response: bytes = field(repr=False)  # verbatim
    at: float | None  # its time, seconds since 1970; None if it could not be verified


class KeptFile(NamedTuple):
    """Name, size and hash of a file in the state folder's `captures`."""

    name: str
    size: int  # bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class CaptureFile:
    """A WARC file with everything captured of one match at one time."""

    name: str  # in the state folder's `captures`
    size: int  # bytes
    sha256: str
    captured_at: float  # seconds since 1970
    who: str
    resources: tuple[CapturedResource, ...]
    timestamp: Timestamp | None = None

    @property
    def kept(self) -> KeptFile:
        """Name, size and hash of the file."""
        return KeptFile(self.name, self.size, self.sha256)


class CapturePreview(NamedTuple):
    """The picture of a match when it was captured last."""

    url: str
    captured_at: float
    sha256: str
    jpeg: bytes
    likeness: float | None  # to the picture first fetched there, 0 to 1; None for the first
    our_likeness: float | None  # to our picture, 0 to 1


class Captures:
    """The tables of captures: their WARC files, and the records in each."""

    def __init__(self, connection: sqlite3.Connection, realm_id: int) -> None:
        self._connection = connection
        self._realm_id = realm_id

    def add(self, place: MatchKey, file: CaptureFile) -> int:
        """Enter a capture of a match; its file must be on disk. Returns the capture's id."""
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
        """All captures of a match, the oldest first."""
        return list(self._files("AND f.picture_id = ? AND f.key = ?", (picture_id, key)))

    def of_picture(self, picture_id: int) -> dict[str, list[CaptureFile]]:
        """All captures of a picture's matches by the match's key, the oldest first."""
        keys = self._connection.execute(
            "SELECT DISTINCT key FROM capture_files WHERE picture_id = ?", (picture_id,)
        )
        return {key: self.of_match(picture_id, key) for (key,) in keys.fetchall()}

    def preview(self, picture_id: int, key: str) -> CapturePreview | None:
        """The last captured picture of a match; None without one."""
        row = self._connection.execute(
            "SELECT c.url, f.captured_at, lower(hex(c.sha256)), c.preview, c.likeness,"
            " c.our_likeness FROM capture_files f JOIN captures c ON c.file_id = f.id WHERE f.picture_id = ? AND f.key = ?"
            " AND c.kind = 'picture' AND c.preview IS NOT NULL ORDER BY f.captured_at DESC LIMIT 1",
            (picture_id, key),
        ).fetchone()
        return CapturePreview(*row) if row else None

    def captured(self) -> Iterator[tuple[int, str, float]]:
        """The captured matches of this realm, and the time of their last capture."""
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
    """The files of all captures in all realms; none for a ledger of an older version."""
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
