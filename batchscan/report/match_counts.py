"""Counting the matches of pictures in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from batchscan.enums import MatchKind, MatchState
from batchscan.model import TrackedMatch
from batchscan.report_sections import MatchCounts, MatchFacets, PictureMatches
from batchscan.util.folders import FolderCounts

NEWS = (MatchState.NEW, MatchState.RETURNED)


class FacetCounts:
    """Counts matches for the filters of the page."""

    def __init__(self) -> None:
        self._kinds: Counter[str] = Counter()
        self._states: Counter[str] = Counter()
        self._decided: Counter[str] = Counter()
        self._sites: Counter[str] = Counter()
        self._folders = FolderCounts()

    def add(self, picture: PictureMatches) -> None:
        """Count the matches of one picture."""
        self._kinds.update(match.kind.value for match in picture.matches)
        self._states.update(match.state for match in picture.matches)
        self._decided.update(match.disposition for match in picture.matches)
        self._sites.update({match.domain for match in picture.matches})
        self._folders.add(picture.path)

    def facets(self) -> MatchFacets:
        """The counts so far, for the filters of the page."""
        return MatchFacets(
            pictures=self._folders.pictures,
            matches=self._kinds.total(),
            kinds=dict(self._kinds),
            states=dict(self._states),
            dispositions=dict(self._decided),
            sites=dict(self._sites),
            folders=self._folders.below_shared(),
        )


def counts_of(matches: Sequence[TrackedMatch]) -> MatchCounts:
    """Count the matches of one picture."""
    there = [match for match in matches if match.state != MatchState.GONE]
    kinds = Counter(match.kind for match in there)
    seen = (match.first_seen for match in there)
    return MatchCounts(
        all=len(matches),
        present=len(there),
        full=kinds[MatchKind.FULL],
        partial=kinds[MatchKind.PARTIAL],
        news=sum(match.state in NEWS for match in there),
        newest=max(seen, default=None),
    )
