"""What the pace must remember across runs: when requests left, and a rate learned from 429s."""

from __future__ import annotations

import sqlite3

from batchscan.model import LearnedRate


class RateLimits:
    """The tables of sends and of the learned rate; by address, for the limit is the account's."""

    def __init__(self, connection: sqlite3.Connection, api_url: str) -> None:
        self._connection = connection
        self._api_url = api_url

    def sent(self, at: float) -> None:
        """Remember that a request left."""
        self._connection.execute("INSERT INTO sends VALUES (?, ?)", (self._api_url, at))

    def sends_since(self, since: float) -> list[float]:
        """Times of the requests since then, oldest first."""
        rows = self._connection.execute(
            "SELECT at FROM sends WHERE api_url = ? AND at >= ? ORDER BY at",
            (self._api_url, since),
        )
        return [row[0] for row in rows]

    def forget_sends_before(self, before: float) -> None:
        """Drop what no window reaches back to."""
        self._connection.execute(
            "DELETE FROM sends WHERE api_url = ? AND at < ?", (self._api_url, before)
        )

    def learn(self, learned: LearnedRate) -> None:
        """Remember the learned rate."""
        self._connection.execute(
            "INSERT OR REPLACE INTO pace VALUES (?, ?, ?, ?, ?)",
            (
                self._api_url,
                learned.fraction,
                learned.ceiling,
                learned.learned_at,
                learned.paused_until,
            ),
        )

    def learned(self) -> LearnedRate | None:
        """The learned rate, if a 429 ever came."""
        row = self._connection.execute(
            "SELECT share, wall, learned_at, paused_until FROM pace WHERE api_url = ?",
            (self._api_url,),
        ).fetchone()
        return LearnedRate(*row) if row else None
