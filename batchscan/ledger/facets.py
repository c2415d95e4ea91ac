"""Counts for the filters of a report: how many matches and pictures each choice has."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from batchscan.enums import Disposition, MatchKind, MatchState
from batchscan.report_sections import MatchFacets
from batchscan.util.folders import FolderCounts

# Columns of `picture_sums`, which count present matches and those that are gone.
_KINDS = {kind.value: f"any_{kind.value}" for kind in MatchKind}
_DECIDED = {word.value: f"any_{word.value}" for word in Disposition}
# Columns that count present matches; those that are not new are known.
_STATES = {
    MatchState.NEW.value: "new",
    MatchState.RETURNED.value: "returned",
    MatchState.GONE.value: "gone",
    MatchState.KNOWN.value: "present - new - returned",
}
_ALLOWED = "a2.picture_id IS NOT NULL"
OF_FACETS = {
    **{column: f"(m.kind = '{kind}')" for kind, column in _KINDS.items()},
    **{
        column: f"(NOT ({_ALLOWED}) AND m.disposition = '{word}')"
        for word, column in _DECIDED.items()
    },
    _DECIDED[Disposition.ALLOWED.value]: f"({_ALLOWED})",
}
"""The columns that are counted for facets only, and what they count (`ledger.reporting`)."""


def match_facets(connection: sqlite3.Connection) -> MatchFacets:
    """Count the matches of all pictures in `picture_sums`, including those that are gone."""
    kinds = _totals(connection, _KINDS)
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
        matches=sum(kinds.values()),
        kinds=kinds,
        states=_totals(connection, _STATES),
        dispositions=_totals(connection, _DECIDED),
        sites=dict(sites.fetchall()),
        folders=folders.below_shared(),
    )


def _totals(connection: sqlite3.Connection, columns: Mapping[str, str]) -> dict[str, int]:
    """The total of each choice that any match has."""
    sums = ", ".join(f"coalesce(sum({column}), 0)" for column in columns.values())
    row = connection.execute(f"SELECT {sums} FROM picture_sums").fetchone()
    return {choice: number for choice, number in zip(columns, row, strict=True) if number}
