"""Credits spent since some time by all runs of this state folder."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import NamedTuple


class Spent(NamedTuple):
    """Credits charged, and requests that may have been charged."""

    charged: int  # credits
    doubts: int  # requests without an answer


class Charges:
    """Sums over answers and requests without an answer."""

    def __init__(self, connection: sqlite3.Connection, realm_ids: Collection[int]) -> None:
        """Sum over realms: those of one service, under all spellings of its address."""
        self._connection = connection
        self._realm_ids = json.dumps([*realm_ids])

    def since(self, at: float, price: int, most: int | None = None) -> Spent:
        """Credits charged since a time, and requests that may have been charged.

        Args:
            at: seconds since 1970.
            price: the largest plausible charge.
            most: a charge beyond both this and `price` is taken for an error of the service and
                counts as `price`; otherwise one such answer would use up a month's budget.
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
