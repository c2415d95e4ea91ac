"""Counts for the filters of a report: how many matches and pictures each choice has."""

from __future__ import annotations

import sqlite3
from collections import Counter

from batchscan.ledger.match_history import STATE
from batchscan.report_sections import MatchFacets
from batchscan.util.folders import FolderCounts

_SEEN = (
    "FROM report_pictures s CROSS JOIN sightings m USING (picture_id)"
    " JOIN pictures p ON p.id = m.picture_id"
    " LEFT JOIN allowed_matches a2 ON a2.picture_id = m.picture_id AND a2.key = m.key"
)
_DECIDED = "iif(a2.picture_id IS NULL, m.disposition, 'allowed')"


def match_facets(connection: sqlite3.Connection) -> MatchFacets:
    """Count the matches of all pictures seen, including those that are gone."""
    kinds: Counter[str] = Counter()
    states: Counter[str] = Counter()
    decided: Counter[str] = Counter()
    rows = connection.execute(
        f"SELECT m.kind, {STATE}, {_DECIDED}, count(*) {_SEEN} GROUP BY 1, 2, 3"
    )
    for kind, state, disposition, number in rows:
        kinds[kind] += number
        states[state] += number
        decided[disposition] += number
    sites = connection.execute(
        "SELECT m.domain, count(DISTINCT m.picture_id) FROM report_pictures s"
        " CROSS JOIN sightings m USING (picture_id) GROUP BY m.domain"
    )
    folders = FolderCounts()
    paths = connection.execute(
        "SELECT path FROM report_pictures s WHERE EXISTS"
        " (SELECT 1 FROM sightings m WHERE m.picture_id = s.picture_id)"
    )
    for row in paths:
        folders.add(row[0])
    return MatchFacets(
        pictures=folders.pictures,
        matches=kinds.total(),
        kinds=dict(kinds),
        states=dict(states),
        dispositions=dict(decided),
        sites=dict(sites.fetchall()),
        folders=folders.below_shared(),
    )
