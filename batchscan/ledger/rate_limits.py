"""State of the rate limiter across runs: times of requests, and the rate learned from 429s."""

from __future__ import annotations

import sqlite3

from batchscan.model import LearnedRate


class RateLimits:
    """The tables of sends and of the learned rate, by API address."""

    def __init__(self, connection: sqlite3.Connection, api_url: str) -> None:
        self._connection = connection
        self._api_url = api_url

    def sent(self, at: float) -> None:
        """Store the time of a request."""
        self._connection.execute("INSERT INTO sends VALUES (?, ?)", (self._api_url, at))

    def sends_since(self, since: float) -> list[float]:
        """Times of the requests since a time, oldest first."""
        rows = self._connection.execute(
            "SELECT at FROM sends WHERE api_url = ? AND at >= ? ORDER BY at",
            (self._api_url, since),
        )
        return [float(row[0]) for row in rows]  # here, where an error is looked into

    def forget_sends_before(self, before: float) -> None:
        """Delete times before the start of all windows."""
        self._connection.execute(
            "DELETE FROM sends WHERE api_url = ? AND at < ?", (self._api_url, before)
        )

    def learn(self, learned: LearnedRate) -> None:
        """Store the learned rate for the next run."""
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
        """The learned rate; None without any 429."""
        row = self._connection.execute(
            "SELECT share, wall, learned_at, paused_until FROM pace WHERE api_url = ?",
            (self._api_url,),
        ).fetchone()
        return LearnedRate(*row) if row else None
