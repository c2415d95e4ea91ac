"""What was spent since some moment, by every run of this state folder."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import NamedTuple


class Spent(NamedTuple):
    """What was spent in some time."""

    charged: int  # credits
    doubts: int  # requests without an answer, each of which may have been charged


class Charges:
    """Sums over answers and doubts."""

    def __init__(self, connection: sqlite3.Connection, realm_ids: Collection[int]) -> None:
        """Prepare; `realm_ids` are those of one service, by all spellings of its address."""
        self._connection = connection
        self._realm_ids = json.dumps([*realm_ids])

    def since(self, at: float, price: int, most: int | None = None) -> Spent:
        """What was charged since then, and what may have been.

        Args:
            at: seconds since 1970.
            price: the largest plausible charge.
            most: a charge beyond both this and `price` is no charge but a slip, and counts as
                `price`: one such answer would use up a month's budget.
        """
        charged = self._connection.execute(
            "SELECT sum(iif(a.credits > :most AND a.credits > :price, :price,"
            " max(0, coalesce(a.credits, :price)))) FROM answers a INDEXED BY answers_by_time"
            " CROSS JOIN pictures p ON p.id = a.picture_id"
            " WHERE a.received_at >= :at AND p.realm_id IN (SELECT value FROM json_each(:realms))",
            {"most": most, "price": price, "at": at, "realms": self._realm_ids},
        ).fetchone()[0]
        doubts = self._connection.execute(
            "SELECT sum(d.sends) FROM doubts d CROSS JOIN claims USING (scan_id)"
            " CROSS JOIN pictures p ON p.id = picture_id WHERE d.at >= ? AND p.realm_id IN (SELECT value FROM json_each(?))",
            (at, self._realm_ids),
        ).fetchone()[0]
        return Spent(int(charged or 0), int(doubts or 0))
