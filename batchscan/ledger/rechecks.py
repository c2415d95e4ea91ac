"""Choosing matches to recheck at their sites, and storing the results."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

from batchscan.enums import Disposition, RecheckKind, RecheckVerdict
from batchscan.ledger.match_history import MatchHistory
from batchscan.ledger.match_rows import MatchKey, decoded_pages
from batchscan.ledger.recheck_history import RecheckHistory
from batchscan.ledger.recheck_types import (
    CheckedAddress,
    CheckedMatch,
    MatchBatch,
    MatchToCheck,
    Observation,
    RecheckChoice,
    Reference,
    TheirPicture,
)

MATCHES_A_BLOCK: Final = 500  # read for one block of chosen ones
_START: Final = MatchKey()


class RecheckTables:
    """The tables of rechecks, of this realm."""

    def __init__(
        self, connection: sqlite3.Connection, realm_id: int, history: MatchHistory
    ) -> None:
        self._connection = connection
        self._realm_id = realm_id
        self._history = history
        self.latest = RecheckHistory(connection)

    def begin(self, choice: str, at: float, since: float) -> tuple[int, bool]:
        """Start a recheck run, or continue an interrupted one with the same choice.

        Args:
            choice: the choice of matches in words, which has to be equal.
            at: seconds since 1970.
            since: the interrupted run must have been active at or after this time.

        Returns:
            The run's id, and whether it continues an interrupted one.
        """
        row = self._connection.execute(
            "SELECT b.id FROM recheck_runs b WHERE b.realm_id = ? AND b.choice = ?"
            " AND b.ended_at IS NULL AND max(b.started_at, coalesce((SELECT max(r.checked_at)"
            " FROM rechecks r WHERE r.run_id = b.id), 0)) >= ?"
            " AND b.id = (SELECT max(n.id) FROM recheck_runs n WHERE n.realm_id = b.realm_id)",
            (self._realm_id, choice, since),
        ).fetchone()
        if row is not None:
            return int(row[0]), True
        row = self._connection.execute(
            "INSERT INTO recheck_runs (realm_id, choice, started_at) VALUES (?, ?, ?) RETURNING id",
            (self._realm_id, choice, at),
        ).fetchone()
        return int(row[0]), False

    def end(self, run: int, at: float) -> None:
        """Mark a run as complete."""
        self._connection.execute("UPDATE recheck_runs SET ended_at = ? WHERE id = ?", (at, run))

    def block(self, choice: RecheckChoice, after: MatchKey | None, run: int | None) -> MatchBatch:
        """The next chosen matches.

        Args:
            choice: which matches.
            after: where to continue; None at the beginning.
            run: matches that were checked in this run already are left out.
        """
        is_meant = "> (?, ?)" if choice.place is None else "= (?, ?)"
        rows = self._connection.execute(
            "SELECT m.picture_id, m.key, m.url, m.pages, m.domain, m.disposition, EXISTS (SELECT 1"
            " FROM rechecks r WHERE r.run_id = ? AND r.picture_id = m.picture_id AND r.key = m.key)"
            " FROM sightings m JOIN pictures p ON p.id = m.picture_id"
            f" WHERE p.realm_id = ? AND (m.picture_id, m.key) {is_meant}"
            " ORDER BY m.picture_id, m.key LIMIT ?",
            (run, self._realm_id, *(choice.place or after or _START), MATCHES_A_BLOCK),
        ).fetchall()
        chosen = tuple(self._chosen(choice, rows))
        full = len(rows) == MATCHES_A_BLOCK
        return MatchBatch(chosen, MatchKey(*rows[-1][:2]) if full else None)

    def _chosen(
        self, choice: RecheckChoice, rows: Sequence[tuple[int, str, str, bytes, str, str, int]]
    ) -> Iterator[MatchToCheck]:
        paths: dict[int, tuple[bytes, ...]] = {}
        for picture_id, key, url, pages, domain, word, done in rows:
            disposition = Disposition(word)
            if done or (choice.dispositions is not None and disposition not in choice.dispositions):
                continue
            if not choice.chosen(url):
                continue
            if picture_id not in paths:
                paths[picture_id] = self._history.paths_of(picture_id)
            ours = paths[picture_id]
            if choice.pictures is None or choice.pictures(ours):
                shown = decoded_pages(pages)
                path = ours[0] if ours else b""
                yield MatchToCheck(MatchKey(picture_id, key), url, shown, domain, disposition, path)

    def reference(self, place: MatchKey) -> Reference:
        """The data to compare a match's picture with: its first recheck or capture, and our picture."""
        sha256, mark = self._connection.execute(
            "SELECT sha256, fingerprint FROM (SELECT sha256, fingerprint, first_at AS at"
            " FROM their_pictures WHERE picture_id = :id AND key = :key UNION ALL"
            " SELECT c.sha256, c.fingerprint, f.captured_at FROM capture_files f"
            " JOIN captures c ON c.file_id = f.id WHERE f.picture_id = :id AND f.key = :key"
            " AND c.kind = 'picture' AND c.fingerprint NOT NULL) ORDER BY at LIMIT 1",
            {"id": place.picture_id, "key": place.key},
        ).fetchone() or (None, None)
        our_sha256, ours = self._connection.execute(
            "SELECT p.sha256, iif(typeof(t.thumbnail) = 'blob', t.thumbnail, NULL) FROM pictures p"
            " LEFT JOIN portraits t ON t.picture_id = p.id WHERE p.id = ?",
            (place.picture_id,),
        ).fetchone() or (None, None)
        return Reference(sha256, mark, ours, our_sha256)

    def record(
        self,
        run: int,
        place: MatchKey,
        seen: Sequence[Observation],
        their: TheirPicture | None,
        gone_after: float,
    ) -> list[RecheckVerdict]:
        """Store the answers of a match's addresses.

        Args:
            run: the recheck run.
            place: the match.
            seen: the answer for its picture, then those for its pages.
            their: the fetched picture, if there was one.
            gone_after: seconds for which an address must be missing to count as gone.

        Returns:
            The verdicts, in the same order.
        """
        if their is not None:
            self._keep(place, their, seen[0].checked_at)
        return [self._enter(run, place, observation, gone_after) for observation in seen]

    def _enter(
        self, run: int, place: MatchKey, observation: Observation, gone_after: float
    ) -> RecheckVerdict:
        since, last, named = self._before(place, observation)
        verdict = observation.verdict
        if verdict is RecheckVerdict.GONE_ONCE:
            since = _begun(since, last, observation.checked_at)
            if observation.checked_at - since >= gone_after:
                verdict = RecheckVerdict.GONE
        elif verdict is not RecheckVerdict.UNKNOWN:  # an unknown result keeps the last known one
            since = None
        if verdict is RecheckVerdict.THERE and observation.names_picture is False and named:
            verdict = RecheckVerdict.CHANGED
        self._connection.execute(
            "INSERT INTO rechecks (run_id, picture_id, key, kind, url, checked_at, verdict,"
            " http_status, detail, gone_since, likeness, our_likeness, names_picture)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                run,
                *place,
                observation.kind.value,
                observation.url,
                observation.checked_at,
                verdict.value,
                observation.http_status,
                observation.detail,
                since,
                observation.likeness,
                observation.our_likeness,
                observation.names_picture,
            ),
        )
        return verdict

    def _before(
        self, place: MatchKey, observation: Observation
    ) -> tuple[float | None, float | None, bool]:
        """Since when an address is missing, when it was asked, and if it ever named the picture.

        A newer answer of the service that contains the match resets this.
        """
        about = {
            "id": place.picture_id,
            "key": place.key,
            "kind": observation.kind.value,
            "url": observation.url,
        }
        since, last = self._connection.execute(
            "SELECT iif(r.gone_since > m.last_seen, r.gone_since, NULL), r.checked_at"
            " FROM rechecks r JOIN sightings m USING (picture_id, key) WHERE r.picture_id = :id"
            " AND r.key = :key AND r.kind = :kind AND r.url = :url ORDER BY r.id DESC LIMIT 1",
            about,
        ).fetchone() or (None, None)
        (named,) = self._connection.execute(
            "SELECT EXISTS (SELECT 1 FROM rechecks r WHERE r.picture_id = :id AND r.key = :key"
            " AND r.kind = :kind AND r.url = :url AND r.names_picture)",
            about,
        ).fetchone()
        return since, last, bool(named)

    def _keep(self, place: MatchKey, their: TheirPicture, at: float) -> None:
        """Store their picture: the first one to compare with, and the thumbnail of the newest."""
        self._connection.execute(
            "INSERT INTO their_pictures (picture_id, key, first_at, sha256, fingerprint, seen_at,"
            " preview) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (picture_id, key) DO UPDATE SET"
            " seen_at = excluded.seen_at, preview = coalesce(excluded.preview, preview)",
            (*place, at, their.sha256, their.fingerprint, at, their.preview),
        )

    def of_run(self, run: int) -> Iterator[CheckedMatch]:
        """All results of a run, in the order of pictures and matches."""
        rows = self._connection.execute(
            "SELECT r.picture_id, r.key, r.kind, r.url, r.verdict, r.http_status, r.checked_at,"
            " r.detail, r.likeness, r.our_likeness, r.gone_since, m.disposition FROM rechecks r"
            " JOIN sightings m ON m.picture_id = r.picture_id AND m.key = r.key"
            " WHERE r.run_id = ? ORDER BY r.picture_id, r.key, r.id",
            (run,),
        )
        current: list[tuple[object, ...]] = []
        for row in rows:
            if row[2] == RecheckKind.PICTURE and current:
                yield self._match(current)
                current = []
            current.append(row)
        if current:
            yield self._match(current)

    def _match(self, rows: list[tuple[object, ...]]) -> CheckedMatch:
        first, *rest = rows
        picture_id, key = int(str(first[0])), str(first[1])
        paths = self._history.paths_of(picture_id)
        since = first[10]
        return CheckedMatch(
            MatchKey(picture_id, key),
            paths[0] if paths else b"",
            Disposition(str(first[11])),
            _address(first),
            tuple(map(_address, rest)),
            since if isinstance(since, float) else None,
        )


def _begun(since: float | None, last: float | None, now: float) -> float:
    """Since when something is missing, allowing for a clock that was set back meanwhile.

    Args:
        since: time of the first such answer; None without one.
        last: time of the last check.
        now: time of this check.
    """
    if since is None:
        return now
    set_back_for_good = now < since and last is not None and last < since
    # A clock that was set back may be wrong now and corrected later: a day that started at the
    # wrong time would then be over at once. So the later time holds until two checks disagree.
    return now if set_back_for_good else since


def _address(row: tuple[object, ...]) -> CheckedAddress:
    url, verdict, *rest = row[3:10]
    return CheckedAddress(str(url), RecheckVerdict(str(verdict)), *rest)  # type: ignore[arg-type]
