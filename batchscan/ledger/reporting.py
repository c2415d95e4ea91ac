"""Queries over many pictures: the match summary, totals, and all files."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from batchscan.ledger.equals import read_sent
from batchscan.ledger.facets import ALLOWED, OF_FACETS
from batchscan.ledger.known import ANSWER_COLUMNS, StoredAnswer
from batchscan.ledger.match_history import PRESENT
from batchscan.ledger.recheck_history import RecheckHistory
from batchscan.ledger.versions import COVERED_FILE
from batchscan.model import Sent
from batchscan.rendition_types import CoveredBy
from batchscan.report_sections import (
    AllowRule,
    Domain,
    FailOnTotals,
    MatchedPicture,
    Matches,
    MatchSummary,
)
from batchscan.util.escaping import path_fields, replace_surrogates
from batchscan.util.paths import join_path
from batchscan.util.timestamps import rfc3339

MAX_IMAGES = 1_000

_NEWS = f"({PRESENT} AND m.arrived_in IN (SELECT run_id FROM news_runs))"
_FULL = f"({PRESENT} AND m.kind = 'full')"
_PARTIAL = f"({PRESENT} AND m.kind = 'partial')"
_NEW = f"({_NEWS} AND NOT m.returned)"
_WORK = f"({PRESENT} AND NOT {ALLOWED} AND m.disposition IN ('open', 'reviewed'))"
_ALARM = f"({PRESENT} AND NOT {ALLOWED} AND m.disposition <> 'not_mine')"
_SUMS = {  # columns of `picture_sums`, and what they count
    "present": PRESENT,
    "full": _FULL,
    "partial": _PARTIAL,
    "new": _NEW,
    "returned": f"({_NEWS} AND m.returned)",
    "gone": f"(NOT ({PRESENT}))",
    "allowed": f"({PRESENT} AND {ALLOWED})",
    "worklist": _WORK,
    "alarms": _ALARM,
    "news_alarms": f"({_ALARM} AND {_NEWS})",
    "full_alarms": f"({_ALARM} AND m.kind = 'full')",
    **OF_FACETS,
}
_SEEN = (
    "FROM report_pictures s CROSS JOIN sightings m USING (picture_id) JOIN pictures p ON p.id = m.picture_id"
    " LEFT JOIN allowed_matches a2 ON a2.picture_id = m.picture_id AND a2.key = m.key"
)


def _counts(*conditions: str) -> str:
    """Columns that count rows; `sum(condition)` takes longer, as it adds every zero."""
    return ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in conditions)


_SUM_UP = (
    f"INSERT INTO picture_sums (picture_id, fresh, newest, {', '.join(_SUMS)})"
    f" SELECT s.picture_id, s.fresh, max(iif({PRESENT}, m.first_seen, NULL)),"
    f" {_counts(*_SUMS.values())} {_SEEN} GROUP BY s.picture_id"
)
_DOMAINS = (
    "SELECT m.domain, count(DISTINCT m.picture_id) AS images,"
    f" {_counts(_FULL, _PARTIAL, _NEW, ALLOWED, _WORK)} {_SEEN} WHERE {PRESENT}"
    " GROUP BY m.domain ORDER BY images DESC, count(*) DESC, m.domain"
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
    sent: Sent | None = None  # if other bytes than the file's were sent for the answer
    covered_by: CoveredBy | None = None  # if the answer is that of another version


@dataclass(frozen=True, slots=True)
class RealmTotals:
    """Totals over all files of a realm."""

    answered: int  # covered ones, too
    covered: int  # by the answer of another version of the same picture
    rejected: int
    reasons: dict[str, int]  # of the rejected ones
    bytes: int
    charged: int  # credits, ever
    outcome_unknown: int  # credits that may have been charged without an answer, ever


class Reporting:
    """Queries over the pictures of a view, and over all of a realm."""

    def __init__(self, connection: sqlite3.Connection, realm_id: int) -> None:
        self._connection = connection
        self._realm_id = realm_id

    def sum_up(self) -> None:
        """Fill `picture_sums`; the table of allowed matches must be filled before."""
        self._connection.execute("DELETE FROM picture_sums")
        self._connection.execute(_SUM_UP)

    def summary(self, rules: tuple[AllowRule, ...] = ()) -> MatchSummary:
        """The summary of all pictures in `picture_sums`."""
        return MatchSummary(
            matches=self._totals("1"),
            run_matches=self._totals("fresh"),
            alarms=self._alarms(),
            domains=tuple(self._domains()),
            images=tuple(self._images()),
            rules=rules,
            rechecks=RecheckHistory(self._connection).totals(),
        )

    def books(self) -> RealmTotals:
        """Totals of files with a final verdict, and of credits charged."""
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
        """All files with a final verdict in this realm, folder by folder."""
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
        """The time of the oldest answer that holds for a known file; None without one."""
        row = self._connection.execute(
            "SELECT a.received_at FROM answers a JOIN pictures p ON p.answer_id = a.id"
            " WHERE p.realm_id = ? AND EXISTS (SELECT 1 FROM files f WHERE f.picture_id = p.id)"
            " ORDER BY a.received_at LIMIT 1",
            (self._realm_id,),
        ).fetchone()
        return None if row is None else float(row[0])

    def _totals(self, which: str) -> Matches:
        row = self._connection.execute(
            "SELECT count(nullif(present, 0)), sum(present), sum(full), sum(partial), sum(new),"
            " sum(returned), sum(gone), sum(allowed), sum(worklist) FROM picture_sums"
            f" WHERE {which}"
        ).fetchone()
        counts = (number or 0 for number in row)
        return Matches(**dict(zip(Matches.__struct_fields__, counts, strict=True)))

    def _alarms(self) -> FailOnTotals:
        row = self._connection.execute(
            "SELECT sum(news_alarms), sum(full_alarms), sum(alarms) FROM picture_sums"
        ).fetchone()
        return FailOnTotals(*(number or 0 for number in row))

    def _domains(self) -> Iterator[Domain]:
        rows = self._connection.execute(_DOMAINS)
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
            "SELECT s.path, lower(hex(p.sha256)), t.full, t.partial, t.present, a.received_at,"
            " t.new, t.allowed, t.worklist FROM picture_sums t JOIN report_pictures s"
            " USING (picture_id) JOIN pictures p ON p.id = t.picture_id"
            " JOIN answers a ON a.id = p.answer_id WHERE t.present > 0"
            " ORDER BY t.full DESC, t.partial DESC, t.present DESC, s.path LIMIT ?",
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


class Previews:
    """The table of previews (`portraits`)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def has(self, picture_id: int) -> bool:
        """Whether a picture has a thumbnail, and a provenance that can be read."""
        row = self._connection.execute(
            "SELECT typeof(thumbnail) = 'blob' AND json_valid(CAST(provenance AS TEXT)) FROM portraits"
            " WHERE picture_id = ?",
            (picture_id,),
        ).fetchone()
        return row is not None and bool(row[0])

    def put(self, picture_id: int, thumbnail: bytes | None, provenance: bytes) -> None:
        """Store a picture's thumbnail (JPEG) and provenance (JSON)."""
        self._connection.execute(
            "INSERT OR REPLACE INTO portraits VALUES (?, ?, ?)", (picture_id, thumbnail, provenance)
        )
