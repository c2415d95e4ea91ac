"""An answer's matches with what their history says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from batchscan.ledger import Sighting
from batchscan.model import Answer, Match
from batchscan.names import MatchState
from batchscan.urls import normalised


def with_history(answer: Answer, history: Sequence[Sighting]) -> Answer:
    """Give each match its state, times and disposition, and the answer what is gone from it."""
    if not history:
        return answer
    known = {sighting.key: sighting.match for sighting in history}
    return replace(
        answer,
        matches=tuple(_placed(match, known.get(normalised(match.url))) for match in answer.matches),
        gone=tuple(each.match for each in history if each.match.state is MatchState.GONE),
    )


def _placed(match: Match, known: Match | None) -> Match:
    """A match as this answer shows it, in its place in the history."""
    if known is None:
        return match
    return replace(
        match,
        state=known.state,
        first_seen=known.first_seen,
        last_seen=known.last_seen,
        disposition=known.disposition,
    )
