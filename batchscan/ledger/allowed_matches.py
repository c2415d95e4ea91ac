"""Which matches rules allow: noted on a connection, for all that is asked there afterwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from batchscan.ledger.match_history import MatchHistory
from batchscan.ledger.perspective import Allows

_COLUMNS = "m.picture_id, m.key, m.url, lower(hex(p.sha256))"
_MATCHES = (
    f"SELECT {_COLUMNS} FROM sightings m"
    " CROSS JOIN pictures p ON p.id = m.picture_id WHERE p.realm_id = ?1 AND p.answer_id > ?2"
)
_WHOLE_SITE = (
    "INSERT OR IGNORE INTO allowed_matches SELECT m.picture_id, m.key FROM sightings m"
    " CROSS JOIN pictures p ON p.id = m.picture_id WHERE p.realm_id = ?1 AND p.answer_id > ?2"
    " AND m.domain = ?3"
)
_EVERY_MATCH = (
    f"SELECT {_COLUMNS} FROM pictures p"
    " CROSS JOIN sightings m ON m.picture_id = p.id WHERE p.realm_id = ?1 AND p.answer_id > ?2"
)
_NOTED = (
    f"SELECT {_COLUMNS} FROM allowed_matches a"
    " CROSS JOIN sightings m ON m.picture_id = a.picture_id AND m.key = a.key"
    " CROSS JOIN pictures p ON p.id = m.picture_id WHERE p.realm_id = ?1"
)
# One look into the index for each site, however many matches it has.
_DOMAINS = (
    "WITH RECURSIVE site(domain) AS (SELECT min(domain) FROM sightings UNION ALL"
    " SELECT (SELECT min(m.domain) FROM sightings m WHERE m.domain > site.domain) FROM site"
    " WHERE site.domain NOT NULL) SELECT domain FROM site WHERE domain NOT NULL"
)


@dataclass(frozen=True, slots=True)
class RuleScope:
    """What some rules speak of."""

    whole: frozenset[str] = frozenset()  # registrable domains of which all is allowed
    domains: frozenset[str] = frozenset()  # those of which some may be
    hosts: frozenset[str] = frozenset()  # with all below them, in whatever domains those are
    anywhere: bool = False  # one of the rules may speak of any site
    paths: bool = False  # one of the rules asks where our picture is


class AllowedMatches:
    """Notes which matches of this realm rules allow."""

    def __init__(
        self, connection: sqlite3.Connection, realm_id: int, history: MatchHistory
    ) -> None:
        self._connection = connection
        self._realm_id = realm_id
        self._history = history

    def clear(self) -> None:
        """Note of no match that it is allowed."""
        self._connection.execute("DELETE FROM allowed_matches")

    def add(self, allows: Allows, scope: RuleScope, since: int = 0) -> None:
        """Note the matches that rules allow.

        Args:
            allows: says it of a match.
            scope: what the rules speak of; nothing else is looked at.
            since: look only at what came with answers after this one; 0 for all.
        """
        for domain in sorted(scope.whole):
            self._connection.execute(_WHOLE_SITE, (self._realm_id, since, domain))
        for rows in self._matches(scope, since):
            self._connection.executemany(
                "INSERT OR IGNORE INTO allowed_matches VALUES (?, ?)",
                self._chosen(rows, allows, scope, wanted=True),
            )

    def remove_others(self, allows: Allows, scope: RuleScope) -> None:
        """Look again at what is noted, and keep what rules still allow."""
        rows = self._connection.execute(_NOTED, (self._realm_id,)).fetchall()
        self._connection.executemany(
            "DELETE FROM allowed_matches WHERE picture_id = ? AND key = ?",
            self._chosen(iter(rows), allows, scope, wanted=False),
        )

    def _matches(
        self, scope: RuleScope, since: int
    ) -> Iterator[Iterator[tuple[int, str, str, str]]]:
        values = (self._realm_id, since)
        if scope.anywhere:
            yield self._connection.execute(_EVERY_MATCH, values)
            return
        for domain in sorted((scope.domains | self._domains_of(scope.hosts)) - scope.whole):
            yield self._connection.execute(f"{_MATCHES} AND m.domain = ?3", (*values, domain))

    def _domains_of(self, hosts: frozenset[str]) -> frozenset[str]:
        """The sites of the ledger that these hosts are, are below of, or are above."""
        if not hosts:
            return frozenset()
        known = [row[0] for row in self._connection.execute(_DOMAINS)]
        return frozenset(
            domain for domain in known if any(_are_related(domain, host) for host in hosts)
        )

    def _chosen(
        self,
        rows: Iterator[tuple[int, str, str, str]],
        allows: Allows,
        scope: RuleScope,
        *,
        wanted: bool,
    ) -> Iterator[tuple[int, str]]:
        paths: tuple[bytes, ...] = ()
        last = None
        for number, key, url, sha256 in rows:
            if scope.paths and number != last:
                paths, last = self._history.paths_of(number), number
            if allows(url, sha256, paths) is wanted:
                yield number, key


def _are_related(domain: str, host: str) -> bool:
    return domain == host or domain.endswith(f".{host}") or host.endswith(f".{domain}")
