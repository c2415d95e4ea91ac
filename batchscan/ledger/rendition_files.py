"""Temporary tables of the files inspected by a run, to find versions of one picture.

SQLite moves large ones to disk, so that memory stays constant.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from batchscan.model import Candidate, Image, Stat
from batchscan.rendition_types import Fingerprint

MAX_THUMBNAILS: Final = 4_096
"""Thumbnails that are kept in this process, on disk; of more pictures they are made again."""

_RESIZED: Final = re.compile(rb"(-scaled|-\d+x\d+)(\.[^./]*)?$")
FINGERPRINT: Final = "g.hash, g.detail, g.width, g.height, g.taken"
"""The columns that `fingerprint_in` reads."""
_HASH_BYTES: Final = 32
SOUND_FINGERPRINT: Final = (
    "(typeof(g.hash) = 'blob' AND typeof(g.taken) = 'text' AND typeof(g.detail) IN ('real', 'integer')"
    " AND g.detail BETWEEN 0 AND 1e9 AND typeof(g.width) = 'integer' AND typeof(g.height) = 'integer'"
    " AND g.width BETWEEN 0 AND 1e9 AND g.height BETWEEN 0 AND 1e9"
    f" AND length(g.hash) IN (0, {_HASH_BYTES}))"
)
"""Whether a row has a valid fingerprint; others are as if they were not there, and made again."""


@dataclass(frozen=True, slots=True)
class RenditionFile:
    """A file that this run has inspected, with its fingerprint."""

    candidate: Candidate
    stat: Stat
    sha256: str
    format: str
    width: int
    height: int
    converted: bool  # a JPEG made from it is sent
    answered: bool  # its content has an answer already
    fingerprint: Fingerprint | None
    inspected: Image | None = None  # without bytes and thumbnail
    elsewhere: tuple[Candidate, ...] = ()  # of an answered picture: other files with its content

    @classmethod
    def of(
        cls, image: Image, candidate: Candidate, *, converted: bool, answered: bool
    ) -> RenditionFile:
        """The entry for an inspected picture."""
        return cls(
            candidate,
            image.stat,
            image.sha256,
            image.format,
            image.width,
            image.height,
            converted,
            answered,
            image.fingerprint,
            image,
        )


class Hashes(NamedTuple):
    """The part of a fingerprint that finds possible versions."""

    number: int  # the file's rank, or the picture's id
    sha256: bytes
    hash: bytes
    detail: float
    width: int
    height: int
    taken: str


class RenditionFiles:
    """The temporary tables of files and of their thumbnails."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._thumbnails = 0  # counting rows as large as these reads all of their pages

    def note(self, file: RenditionFile) -> None:
        """Add a file to those of this run."""
        fingerprint = file.fingerprint
        columns = (b"", 0.0, 0, 0, "") if fingerprint is None else fingerprint[:5]
        candidate = file.candidate
        self._connection.execute(
            "INSERT INTO rendition_files (path, root, explicit, size, mtime_ns, ctime_ns, sha256,"
            " format, picture_width, picture_height, converted, answered, resized, verdict, hash,"
            " detail, width, height, taken)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                os.fsencode(candidate.path),
                None if candidate.root is None else os.fsencode(candidate.root),
                candidate.named_by_user,
                *file.stat,
                bytes.fromhex(file.sha256),
                *(file.format, file.width, file.height, file.converted, file.answered),
                _RESIZED.search(os.fsencode(candidate.path)) is not None,
                _verdict_of(file.inspected),
                *columns,
            ),
        )
        self.keep_thumbnail(file.sha256, fingerprint)

    def keep_thumbnail(self, sha256: str, fingerprint: Fingerprint | None) -> None:
        """Keep the thumbnail of a content, if there is one and room for it."""
        if fingerprint is None or not fingerprint.thumbnail or self._thumbnails >= MAX_THUMBNAILS:
            return
        self._thumbnails += self._connection.execute(
            "INSERT OR IGNORE INTO rendition_thumbnails VALUES (?, ?)",
            (bytes.fromhex(sha256), fingerprint.thumbnail),
        ).rowcount

    def any(self) -> bool:
        """Whether this run has noted files."""
        query = "SELECT EXISTS (SELECT 1 FROM rendition_files)"
        return bool(self._connection.execute(query).fetchone()[0])

    def rank(self) -> None:
        """Rank the files: the best one of a group is sent for it.

        Answered files come first, then those that need no conversion, then the most pixels, then
        originals before resized copies (by name), then the shortest path.
        """
        self._connection.execute("DELETE FROM rendition_ranks")
        self._connection.execute(
            "INSERT INTO rendition_ranks (id) SELECT id FROM rendition_files ORDER BY answered DESC,"
            " converted, picture_width * picture_height DESC, resized, length(path), path"
        )

    def ranked(self, after: int, limit: int) -> list[Hashes]:
        """The next files by rank, from 1."""
        rows = self._connection.execute(
            f"SELECT r.rank, g.sha256, {FINGERPRINT} FROM rendition_ranks r"
            " JOIN rendition_files g USING (id) WHERE r.rank > ? ORDER BY r.rank LIMIT ?",
            (after, limit),
        )
        return list(map(Hashes._make, rows))

    def get(self, ranks: Iterable[int]) -> list[RenditionFile]:
        """Files by their ranks, with those thumbnails that were kept."""
        files = []
        for rank in ranks:
            row = self._connection.execute(
                "SELECT g.path, g.root, g.explicit, g.size, g.mtime_ns, g.ctime_ns, g.sha256,"
                " g.format, g.picture_width, g.picture_height, g.converted, g.answered, g.verdict,"
                f" t.pixels, {FINGERPRINT} FROM rendition_ranks r"
                " JOIN rendition_files g USING (id)"
                " LEFT JOIN rendition_thumbnails t USING (sha256) WHERE r.rank = ?",
                (rank,),
            ).fetchone()
            if row is not None:
                files.append(_file(row))
        return files

    def forget(self) -> None:
        """Delete the noted files."""
        self._connection.execute("DELETE FROM rendition_ranks")
        self._connection.execute("DELETE FROM rendition_files")
        self._connection.execute("DELETE FROM rendition_thumbnails")
        self._thumbnails = 0


def fingerprint_in(columns: Any) -> Fingerprint | None:  # noqa: ANN401 - rows have no types
    """A fingerprint from its columns; None if they are empty."""
    return Fingerprint(*columns) if columns[0] else None


def with_thumbnail(file: RenditionFile, pixels: bytes) -> RenditionFile:
    """The same file with its thumbnail."""
    fingerprint = file.fingerprint
    return (
        file
        if fingerprint is None
        else replace(file, fingerprint=fingerprint._replace(thumbnail=pixels))
    )


def _file(row: Any) -> RenditionFile:  # noqa: ANN401 - as above
    path, root, explicit, size, mtime, ctime, sha256, form, width, height, *rest = row
    converted, answered, verdict, pixels, *fingerprint_columns = rest
    stat = Stat(size, mtime, ctime)
    candidate = Candidate(
        os.fsdecode(path),
        stat,
        named_by_user=bool(explicit),
        root=None if root is None else os.fsdecode(root),
    )
    fingerprint = fingerprint_in(fingerprint_columns)
    file = RenditionFile(
        candidate,
        stat,
        sha256.hex(),
        form,
        width,
        height,
        bool(converted),
        bool(answered),
        fingerprint,
        _inspected(candidate.path, stat, sha256.hex(), (form, width, height), verdict, fingerprint),
    )
    return with_thumbnail(file, pixels) if pixels else file


def _verdict_of(image: Image | None) -> str:
    """The parts of the verdict without a column of their own, as JSON; "" without an image."""
    if image is None:
        return ""
    # Names may hold bytes that are not UTF-8, which this module's JSON keeps.
    return json.dumps(
        [image.content_type, image.file_name, image.warnings, image.kind, image.convert]
    )


def _inspected(
    path: str,
    stat: Stat,
    sha256: str,
    format_and_size: tuple[str, int, int],
    verdict: str,
    fingerprint: Fingerprint | None,
) -> Image | None:
    if not verdict:
        return None
    content_type, file_name, warnings, kind, convert = json.loads(verdict)
    return Image(
        path,
        stat,
        b"",
        sha256,
        *format_and_size,
        content_type,
        file_name,
        tuple(warnings),
        kind,
        convert,
        fingerprint=fingerprint,
    )
