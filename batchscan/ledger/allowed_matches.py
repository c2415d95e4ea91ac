"""Matches that rules allow, in a temporary table for the queries on the same connection."""

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
# One lookup in the index for each site, independent of its number of matches.
_DOMAINS = (
    "WITH RECURSIVE site(domain) AS (SELECT min(domain) FROM sightings UNION ALL"
    " SELECT (SELECT min(m.domain) FROM sightings m WHERE m.domain > site.domain) FROM site"
    " WHERE site.domain NOT NULL) SELECT domain FROM site WHERE domain NOT NULL"
)


@dataclass(frozen=True, slots=True)
class RuleScope:
    """The sites that some rules can apply to."""

    sites: frozenset[str] = frozenset()  # registrable domains that are allowed as a whole
    domains: frozenset[str] = frozenset()  # those that are allowed in part
    hosts: frozenset[str] = frozenset()  # with their subdomains
    anywhere: bool = False  # a rule may apply to any site
    paths: bool = False  # a rule depends on the path of our picture


class AllowedMatches:
    """The temporary table of allowed matches of this realm."""

    def __init__(
        self, connection: sqlite3.Connection, realm_id: int, history: MatchHistory
    ) -> None:
        self._connection = connection
        self._realm_id = realm_id
        self._history = history

    def clear(self) -> None:
        """Remove all."""
        self._connection.execute("DELETE FROM allowed_matches")

    def add(self, allows: Allows, scope: RuleScope, since: int = 0) -> None:
        """Add the matches that rules allow.

        Args:
            allows: whether the rules allow a match.
            scope: sites that the rules can apply to; other matches are not read.
            since: only matches of answers after this id; 0 for all.
        """
        for domain in sorted(scope.sites):
            self._connection.execute(_WHOLE_SITE, (self._realm_id, since, domain))
        for rows in self._matches(scope, since):
            self._connection.executemany(
                "INSERT OR IGNORE INTO allowed_matches VALUES (?, ?)",
                self._chosen(rows, allows, scope, wanted=True),
            )

    def remove_others(self, allows: Allows, scope: RuleScope) -> None:
        """Remove matches that rules no longer allow."""
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
        for domain in sorted((scope.domains | self._domains_of(scope.hosts)) - scope.sites):
            yield self._connection.execute(f"{_MATCHES} AND m.domain = ?3", (*values, domain))

    def _domains_of(self, hosts: frozenset[str]) -> frozenset[str]:
        """The ledger's domains that are equal to, above or below one of these hosts."""
        if not hosts:
            return frozenset()
        domains = [row[0] for row in self._connection.execute(_DOMAINS)]
        return frozenset(
            domain for domain in domains if any(_are_related(domain, host) for host in hosts)
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
