"""Counts for the filters of a report: how many matches and pictures each choice has."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

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
ALLOWED = "(a2.picture_id IS NOT NULL)"
"""Whether a rule allows a match, in queries that join `allowed_matches a2`."""

OF_FACETS = {
    **{column: f"(m.kind = '{kind}')" for kind, column in _KINDS.items()},
    **{
        column: f"(NOT {ALLOWED} AND m.disposition = '{word}')" for word, column in _DECIDED.items()
    },
    _DECIDED[Disposition.ALLOWED.value]: ALLOWED,
}
"""The columns that are counted for facets only, and what they count (`ledger.reporting`)."""

_CHOICES = {**_KINDS, **_STATES, **_DECIDED}
_TOTALS = (
    f"SELECT {', '.join(f'coalesce(sum({counts}), 0)' for counts in _CHOICES.values())}"
    " FROM picture_sums"
)


def match_facets(connection: sqlite3.Connection) -> MatchFacets:
    """Count the matches of all pictures in `picture_sums`, including those that are gone."""
    totals = dict(zip(_CHOICES, connection.execute(_TOTALS).fetchone(), strict=True))
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
        matches=sum(totals[kind] for kind in _KINDS),
        kinds=_occurring(_KINDS, totals),
        states=_occurring(_STATES, totals),
        dispositions=_occurring(_DECIDED, totals),
        sites=dict(sites.fetchall()),
        folders=folders.below_shared(),
    )


def _occurring(choices: Iterable[str], totals: Mapping[str, int]) -> dict[str, int]:
    return {choice: totals[choice] for choice in choices if totals[choice]}
