"""What the ledger says of many pictures at once, by SQL: the digest, and everything it knows."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from batchscan.ledger.decision_history import DecisionHistory
from batchscan.ledger.equals import read_sent
from batchscan.ledger.facets import match_facets
from batchscan.ledger.known import ANSWER_COLUMNS, StoredAnswer
from batchscan.ledger.match_history import PRESENT, MatchHistory
from batchscan.ledger.recheck_history import RecheckHistory
from batchscan.ledger.versions import COVERED_FILE, versions_of
from batchscan.likeness import CoveredBy
from batchscan.model import Provenance, Sent
from batchscan.report_sections import (
    AllowRule,
    Domain,
    FailOnTotals,
    MatchedPicture,
    Matches,
    MatchFacets,
    MatchSummary,
    PictureMatches,
)
from batchscan.util.escaping import path_fields, replace_surrogates
from batchscan.util.paths import join_path
from batchscan.util.timestamps import rfc3339

MAX_IMAGES = 1_000

_ALLOWED = "(a2.picture_id IS NOT NULL)"
_NEWS = f"({PRESENT} AND m.arrived_in IN (SELECT run_id FROM news_runs))"
_FULL = f"({PRESENT} AND m.kind = 'full')"
_PARTIAL = f"({PRESENT} AND m.kind = 'partial')"
_NEW = f"({_NEWS} AND NOT m.returned)"
_WORK = f"({PRESENT} AND NOT {_ALLOWED} AND m.disposition IN ('open', 'reviewed'))"
_TOTALS = (
    PRESENT,
    _FULL,
    _PARTIAL,
    _NEW,
    f"({_NEWS} AND m.returned)",
    f"(NOT ({PRESENT}))",
    f"({PRESENT} AND {_ALLOWED})",
    _WORK,
)
_SUMS = ", ".join(f"sum({what})" for what in _TOTALS)
_KINDS = f"sum({_FULL}), sum({_PARTIAL})"
_REST = f"sum({_NEW}), sum({_ALLOWED}), sum({_WORK})"
_SEEN = (
    "FROM report_pictures s CROSS JOIN sightings m USING (picture_id) JOIN pictures p ON p.id = m.picture_id"
    " LEFT JOIN allowed_matches a2 ON a2.picture_id = m.picture_id AND a2.key = m.key"
)


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file with its final verdict: an answer, or a rejection's line."""

    path: str
    size: int
    sha256: str | None
    format: str | None
    width: int | None
    height: int | None
    answer: StoredAnswer | None
    rejection: bytes | None
    sent: Sent | None = None  # for the answer, in the file's place
    covered_by: CoveredBy | None = None  # where the answer is that of another version


@dataclass(frozen=True, slots=True)
class RealmTotals:
    """What the ledger knows of all files of a realm."""

    answered: int  # covered ones, too
    covered: int  # by the answer of another version of the same picture
    rejected: int
    reasons: dict[str, int]  # of the rejected ones
    bytes: int
    charged: int  # credits, ever
    outcome_unknown: int  # credits that may have been charged for nothing, ever


class Reporting:
    """Questions about the pictures seen by this process, and about all."""

    def __init__(self, connection: sqlite3.Connection, realm_id: int) -> None:
        self._connection = connection
        self._realm_id = realm_id

    def digest(self, rules: tuple[AllowRule, ...] = ()) -> MatchSummary:
        """Matches of every picture seen; each content and match URL once.

        What is allowed was found out before (`MatchHistory.allow_seen`), and so were the rules.
        """
        return MatchSummary(
            matches=self._totals("1"),
            run_matches=self._totals("s.fresh"),
            alarms=self._alarms(),
            domains=tuple(self._domains()),
            images=tuple(self._images()),
            rules=rules,
            rechecks=RecheckHistory(self._connection).totals(),
        )

    def books(self) -> RealmTotals:
        """Count every file with a final verdict, and what answers have cost."""
        files, answered, size = self._connection.execute(
            "SELECT count(*), count(picture_id), CAST(total(size) AS INTEGER) FROM files"
            " WHERE realm_id = ?",
            (self._realm_id,),
        ).fetchone()
        covered = self._connection.execute(
            f"SELECT count(*) FROM covered v JOIN files f ON {COVERED_FILE} WHERE v.realm_id = ?",
            (self._realm_id,),
        ).fetchone()[0]
        reasons = self._connection.execute(
            "SELECT json_extract(line, '$.reason'), count(*) FROM files"
            " WHERE realm_id = ? AND picture_id IS NULL GROUP BY 1",
            (self._realm_id,),
        )
        charged, largest = self._connection.execute(
            "SELECT CAST(total(a.credits) AS INTEGER), max(a.credits) FROM answers a"
            " JOIN pictures p ON p.id = a.picture_id WHERE p.realm_id = ?",
            (self._realm_id,),
        ).fetchone()
        doubts = self._connection.execute(
            "SELECT coalesce(sum(d.sends), 0) FROM doubts d JOIN claims USING (scan_id)"
            " JOIN pictures p ON p.id = picture_id WHERE p.realm_id = ?",
            (self._realm_id,),
        ).fetchone()[0]
        return RealmTotals(
            answered=answered,
            covered=covered,
            rejected=files - answered,
            reasons=dict(reasons.fetchall()),
            bytes=size,
            charged=charged,
            outcome_unknown=doubts * (largest or 1),
        )

    def files(self) -> Iterator[KnownFile]:
        """Every file with a final verdict in this realm, folder by folder."""
        rows = self._connection.execute(
            "SELECT d.path, f.name, f.size, coalesce(f.sha256, p.sha256),"
            " coalesce(v.format, e.format, p.format), coalesce(v.width, e.width, p.width),"
            " coalesce(v.height, e.height, p.height), iif(f.sha256 IS NULL, c.sent, e.sent),"
            " f.line, v.by_path, v.by_sha256, v.distance, v.difference, v.rule,"
            f" {ANSWER_COLUMNS}"
            " FROM files f JOIN folders d ON d.id = f.folder_id"
            " LEFT JOIN pictures p ON p.id = f.picture_id LEFT JOIN answers a ON a.id = p.answer_id"
            " LEFT JOIN claims c ON c.scan_id = a.scan_id"
            " LEFT JOIN equals e ON e.realm_id = f.realm_id AND e.sha256 = f.sha256"
            f" LEFT JOIN covered v ON {COVERED_FILE} WHERE f.realm_id = ? ORDER BY f.folder_id, f.name",
            (self._realm_id,),
        )
        for folder, name, size, sha256, format_, width, height, sent, line, *rest in rows:
            by_path, by_sha256, distance, difference, rule, *answer = rest
            yield KnownFile(
                path=os.fsdecode(join_path(folder, name)),
                size=size,
                sha256=sha256.hex() if sha256 else None,
                format=format_,
                width=width,
                height=height,
                answer=StoredAnswer.of(answer) if answer[0] is not None else None,
                rejection=line,
                sent=read_sent(sent),
                covered_by=CoveredBy(
                    os.fsdecode(by_path), by_sha256.hex(), distance, difference, rule
                )
                if rule
                else None,
            )

    def oldest_answer(self) -> float | None:
        """When the oldest answer came that is valid for a file that was seen; None without any."""
        row = self._connection.execute(
            "SELECT a.received_at FROM answers a JOIN pictures p ON p.answer_id = a.id"
            " WHERE p.realm_id = ? AND EXISTS (SELECT 1 FROM files f WHERE f.picture_id = p.id)"
            " ORDER BY a.received_at LIMIT 1",
            (self._realm_id,),
        ).fetchone()
        return None if row is None else float(row[0])

    def _totals(self, which: str) -> Matches:
        row = self._connection.execute(
            f"SELECT count(DISTINCT iif({PRESENT}, m.picture_id, NULL)),"
            f" {_SUMS} {_SEEN} WHERE {which}"
        ).fetchone()
        counts = (number or 0 for number in row)
        return Matches(**dict(zip(Matches.__struct_fields__, counts, strict=True)))

    def _alarms(self) -> FailOnTotals:
        row = self._connection.execute(
            f"SELECT sum({_NEWS}), sum({_FULL}), count(*) {_SEEN}"
            f" WHERE {PRESENT} AND NOT {_ALLOWED} AND m.disposition <> 'not_mine'"
        ).fetchone()
        return FailOnTotals(*(number or 0 for number in row))

    def _domains(self) -> Iterator[Domain]:
        rows = self._connection.execute(
            f"SELECT m.domain, count(DISTINCT m.picture_id) AS images, {_KINDS}, {_REST} {_SEEN}"
            f" WHERE {PRESENT} GROUP BY m.domain ORDER BY images DESC, count(*) DESC, m.domain"
        )
        for domain, images, full, partial, new, allowed, worklist in rows:
            yield Domain(
                domain=replace_surrogates(domain),
                images=images,
                full=full,
                partial=partial,
                new=new,
                allowed=allowed,
                worklist=worklist,
            )

    def _images(self) -> Iterator[MatchedPicture]:
        rows = self._connection.execute(
            f"SELECT s.path, lower(hex(p.sha256)), {_KINDS}, count(*), a.received_at, {_REST}"
            f" {_SEEN} JOIN answers a ON a.id = p.answer_id WHERE {PRESENT}"
            " GROUP BY s.picture_id"
            " ORDER BY 3 DESC, 4 DESC, 5 DESC, s.path LIMIT ?",
            (MAX_IMAGES,),
        )
        for raw, sha256, full, partial, total, at, new, allowed, worklist in rows:
            path, path_b64 = path_fields(raw)
            yield MatchedPicture(
                path=path,
                path_b64=path_b64,
                sha256=sha256,
                total=total,
                full=full,
                partial=partial,
                new=new,
                allowed=allowed,
                worklist=worklist,
                scanned_at=rfc3339(at),
            )


# Those with something new first, then the worst.
_ORDER = (
    f"SELECT s.picture_id, s.path, max({PRESENT} AND m.arrived_in IN"
    f" (SELECT run_id FROM news_runs)) AS news, sum({PRESENT} AND m.kind = 'full') AS full,"
    f" sum({PRESENT}) AS total"
    " FROM report_pictures s CROSS JOIN sightings m USING (picture_id) JOIN pictures p ON p.id = m.picture_id"
    " GROUP BY s.picture_id ORDER BY news DESC, full DESC, total DESC, s.path"
)
_PICTURE = (
    "SELECT lower(hex(p.sha256)), p.bytes, p.format, p.width, p.height, a.received_at, a.credits,"
    " o.thumbnail, o.provenance FROM pictures p JOIN answers a ON a.id = p.answer_id"
    " LEFT JOIN portraits o ON o.picture_id = p.id WHERE p.id = ?"
)


class MatchedPictures:
    """Reads matched pictures of those seen by this process."""

    def __init__(
        self, connection: sqlite3.Connection, history: MatchHistory, *, previews: bool = False
    ) -> None:
        """Prepare; `previews` says whether small copies of theirs belong to each."""
        self._connection = connection
        self._history = history
        self._decisions = DecisionHistory(connection)
        self._theirs = RecheckHistory(connection) if previews else None

    def pictures(
        self, wanted: Callable[[Sequence[bytes]], bool] | None = None
    ) -> Iterator[PictureMatches]:
        """Every picture seen that has or had a match: those with new ones first, then the worst.

        Args:
            wanted: says of a picture's paths whether it is meant; None for all.
        """
        for picture_id, path, *_ in self._connection.execute(_ORDER):
            if wanted is None or wanted((path, *self._history.paths_of(picture_id))):
                yield self._picture(picture_id, path)

    def facets(self) -> MatchFacets:
        """What can be chosen of these, counted over everything."""
        return match_facets(self._connection)

    def _picture(self, picture_id: int, path: bytes) -> PictureMatches:
        row = self._connection.execute(_PICTURE, (picture_id,)).fetchone()
        sha256, size, form, width, height, scanned_at, credits_, thumbnail, provenance = row
        return PictureMatches(
            path=path,
            sha256=sha256,
            size=size,
            format=form,
            width=width,
            height=height,
            scanned_at=scanned_at,
            credits=credits_,
            matches=tuple(each.match for each in self._history.matches_of(picture_id)),
            thumbnail=thumbnail,
            provenance=msgspec.json.decode(provenance, type=Provenance) if provenance else None,
            decisions=self._decisions.of_picture(picture_id),
            versions=versions_of(self._connection, picture_id),
            previews=self._theirs.previews_of(picture_id) if self._theirs else {},
        )


class Previews:
    """The table of portraits."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put(self, picture_id: int, thumbnail: bytes | None, provenance: bytes) -> None:
        """Keep a picture's portrait: a small JPEG file, and JSON."""
        self._connection.execute(
            "INSERT OR REPLACE INTO portraits VALUES (?, ?, ?)", (picture_id, thumbnail, provenance)
        )
