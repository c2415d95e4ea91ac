"""Claims, answers, and sends that may have been charged without an answer."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import zlib
from collections.abc import Iterable

from batchscan.ledger.block_cache import BlockCache
from batchscan.ledger.equals import read_sent, sent_columns
from batchscan.ledger.known import OpenClaim
from batchscan.ledger.prices import Prices
from batchscan.model import Claim, Image

SCAN_ID_DIGITS = 32


class Claims:
    """Writes to the tables of pictures, claims and answers; `KnownPictures` reads them."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        realm_id: int,
        realm: str,
        seals: BlockCache,
    ) -> None:
        self._connection = connection
        self._seals = seals
        self._realm_id = realm_id
        self._realm = realm

    def plan(self, sha256: str) -> None:
        """Note for this process that a dry run would send this content."""
        self._connection.execute("INSERT INTO dry_run_planned VALUES (?)", (bytes.fromhex(sha256),))

    def planned(self, sha256: str) -> bool:
        """Whether `plan` was called for this content."""
        query = "SELECT 1 FROM dry_run_planned WHERE sha256 = ?"
        return self._connection.execute(query, (bytes.fromhex(sha256),)).fetchone() is not None

    def has_answer(self, scan_id: str, received_at: float) -> bool:
        """Whether an answer with this scan id and time is in the ledger."""
        row = self._connection.execute(
            "SELECT EXISTS (SELECT 1 FROM claims c JOIN answers a USING (picture_id)"
            " WHERE c.scan_id = ? AND a.scan_id = c.scan_id AND a.received_at = ?)",
            (scan_id, received_at),
        ).fetchone()
        return bool(row[0])

    def open(self, image: Image, generation: int, run_id: str, at: float) -> Claim:
        """Open a claim: once it is committed, bytes may have been sent under its scan id."""
        picture_id, is_new = self._picture_id(image)
        used = None if is_new else self._used_id(picture_id, generation)
        claim = Claim(picture_id, used or self._scan_id(image.sha256, generation), generation)
        cursor = self._connection.execute(
            "INSERT INTO claims (scan_id, picture_id, generation, run_id, path, opened_at, state,"
            " under_way, sends, unanswered, sent, sent_sha256)"
            " VALUES (?, ?, ?, ?, ?, ?, 'open', 1, 1, 0, ?, ?)"
            " ON CONFLICT (scan_id) DO UPDATE SET state = 'open', under_way = 1,"
            " sends = sends + 1, run_id = excluded.run_id, path = excluded.path,"
            " sent = excluded.sent, sent_sha256 = excluded.sent_sha256"
            " WHERE picture_id = excluded.picture_id",
            (
                *(claim.scan_id, picture_id, generation, run_id, os.fsencode(image.path), at),
                *sent_columns(image.sent),
            ),
        )
        if not cursor.rowcount:  # it is another picture's: damage made a known content look new
            raise sqlite3.DatabaseError(f"the picture of the claim {claim.scan_id} is damaged")
        return claim

    def path_of(self, scan_id: str | None) -> str | None:
        """The file that was sent under a scan id; None if that is not known."""
        row = self._connection.execute(
            "SELECT path FROM claims WHERE scan_id = ?", (scan_id,)
        ).fetchone()
        return None if row is None else os.fsdecode(row[0])

    def mark_unsent(self, claim: Claim) -> None:
        """Mark a claim as not charged, by the service's answer or because nothing was sent."""
        self._connection.execute(
            "UPDATE claims SET under_way = 0 WHERE scan_id = ?", (claim.scan_id,)
        )

    def mark_unanswered(self, claim: Claim, at: float, body: bytes | None = None) -> None:
        """Mark a claim as possibly charged, without an answer or with an unreadable one."""
        self._connection.execute(
            "UPDATE claims SET under_way = 0, unanswered = unanswered + 1 WHERE scan_id = ?",
            (claim.scan_id,),
        )
        self._doubt(claim, at)
        if body:
            self._connection.execute(
                "INSERT INTO unread_bodies VALUES (?, ?, ?)",
                (claim.scan_id, at, zlib.compress(body, 1)),
            )

    def mark_lost(self, claim: Claim, at: float) -> bool:
        """Mark a claim whose scan id is used up and whose answer is lost.

        Returns:
            Whether its possible charge is counted only now.
        """
        row = self._connection.execute(
            "SELECT unanswered FROM claims WHERE scan_id = ?", (claim.scan_id,)
        ).fetchone()
        self._connection.execute(
            "UPDATE claims SET state = 'lost', under_way = 0, unanswered = max(unanswered, 1)"
            " WHERE scan_id = ?",
            (claim.scan_id,),
        )
        if row[0]:
            return False
        self._doubt(claim, at)
        return True

    def refused(self, claim: Claim, refusal: bytes) -> None:
        """Mark a content as refused by the service."""
        self._connection.execute(
            "UPDATE claims SET state = 'refused', under_way = 0 WHERE scan_id = ?",
            (claim.scan_id,),
        )
        self._connection.execute(
            "UPDATE pictures SET refusal = ? WHERE id = ?", (refusal, claim.picture_id)
        )

    def settle(
        self, claim: Claim, body: bytes, received_at: float, run_id: str, *, attempts: int = 0
    ) -> int:
        """Store a paid answer verbatim and close its claim, before it is parsed.

        Args:
            claim: the claim that it answers.
            body: verbatim.
            received_at: seconds since 1970.
            run_id: the run that received it.
            attempts: 1 if parsing follows, which may crash the process.

        Returns:
            The answer's id.
        """
        cursor = self._connection.execute(
            "INSERT INTO answers (picture_id, generation, scan_id, run_id, received_at, credits,"
            " body, reader, attempts) VALUES (?, ?, ?, ?, ?, NULL, ?, NULL, ?)",
            (
                claim.picture_id,
                claim.generation,
                claim.scan_id,
                run_id,
                received_at,
                zlib.compress(body, 1),
                attempts,
            ),
        )
        self._connection.execute(
            "UPDATE claims SET state = 'answered', under_way = 0 WHERE scan_id = ?",
            (claim.scan_id,),
        )
        self._connection.execute(
            "UPDATE pictures SET refusal = NULL WHERE id = ? AND refusal IS NOT NULL",
            (claim.picture_id,),
        )
        if claim.generation > 1:
            self._seals.invalidate_picture(claim.picture_id)
        return int(cursor.lastrowid or 0)

    def charges(self) -> dict[int, int]:
        """How often each charge occurred, by credits."""
        rows = self._connection.execute(
            "SELECT a.credits, count(*) FROM answers a INDEXED BY answers_by_time"
            " CROSS JOIN pictures p ON p.id = a.picture_id"
            " WHERE a.received_at >= 0 AND p.realm_id = ? AND a.credits IS NOT NULL"
            " GROUP BY a.credits",
            (self._realm_id,),
        )
        return {int(charge): int(times) for charge, times in rows}

    def largest_charge(self) -> int | None:
        """The largest plausible charge of one picture, in credits."""
        return Prices(self.charges()).largest

    def open_claims(self, run_id: str) -> Iterable[OpenClaim]:
        """The open claims that were last sent by a run."""
        rows = self._connection.execute(
            "SELECT picture_id, scan_id, generation, path, lower(hex(sha256)), bytes, format, width, height,"
            " opened_at, sends, under_way, claims.sent FROM claims JOIN pictures ON pictures.id = picture_id"
            " WHERE run_id = ? AND state = 'open' ORDER BY path",
            (run_id,),
        )
        return [OpenClaim(*(*row, read_sent(sent))) for *row, sent in rows]

    def possibly_charged(self, run_id: str) -> int:
        """Credits that a run may have been charged without an answer: at least what it reserved."""
        sends = self._connection.execute(
            "SELECT sum(sends) FROM doubts WHERE run_id = ?", (run_id,)
        ).fetchone()[0]
        if not sends:
            return 0
        # A run reserves by its own largest charge, even if that is not plausible as a price.
        dearest = self._connection.execute(
            "SELECT max(credits) FROM answers WHERE run_id = ?", (run_id,)
        ).fetchone()[0]
        return int(sends) * max(1, self.largest_charge() or 0, int(dearest or 0))

    def _doubt(self, claim: Claim, at: float) -> None:
        """Count a send without an answer for the run that made it."""
        self._connection.execute(
            "INSERT INTO doubts SELECT run_id, scan_id, 1, ? FROM claims WHERE scan_id = ?"
            " ON CONFLICT (run_id, scan_id) DO UPDATE SET sends = sends + 1, at = excluded.at",
            (at, claim.scan_id),
        )

    def _used_id(self, picture_id: int, generation: int) -> str | None:
        """The scan id used before, also under another spelling of the address; None without one."""
        row = self._connection.execute(
            "SELECT scan_id FROM claims WHERE picture_id = ? AND generation = ?",
            (picture_id, generation),
        ).fetchone()
        return row[0] if row else None

    def _scan_id(self, sha256: str, generation: int) -> str:
        """A scan id; the same work has the same id, also after a crash. `[a-z0-9-]{3,36}`."""
        text = f"{self._realm}\n{sha256}\n{generation}"
        return "bs-" + hashlib.sha256(text.encode()).hexdigest()[:SCAN_ID_DIGITS]

    def _picture_id(self, image: Image) -> tuple[int, bool]:
        """The id of a picture, which is entered if it is new, and whether it is."""
        key = (self._realm_id, bytes.fromhex(image.sha256))
        cursor = self._connection.execute(
            "INSERT OR IGNORE INTO pictures (realm_id, sha256, bytes, format, width, height)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (*key, image.stat.size, image.format, image.width, image.height),
        )
        if cursor.rowcount and cursor.lastrowid:
            return cursor.lastrowid, True
        row = self._connection.execute(
            "SELECT id FROM pictures WHERE realm_id = ? AND sha256 = ?", key
        ).fetchone()
        return int(row[0]), False
