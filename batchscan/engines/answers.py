"""From the vendor's words to ours: what a kept body says, now and whenever it is read again."""

from __future__ import annotations

from batchscan.copyleaks.answers import FULL, PARTIAL, InternetMatch, read_check
from batchscan.copyleaks.failures import clean
from batchscan.ledger.history import by_key
from batchscan.model import Answer, Match, Score
from batchscan.names import MatchKind
from batchscan.urls import registrable_domain

LONG_ANSWER = 64 * 1024  # bytes; reading more than that would hold up the event loop
_KINDS = {FULL: MatchKind.FULL, PARTIAL: MatchKind.PARTIAL, None: MatchKind.OTHER}


def interpret(
    body: bytes, received_at: float, scan_id: str | None = None, *, sandbox: bool = False
) -> Answer:
    """Say what an answer's body says; the same for the same body, always.

    What nobody can read is not raised: the answer's `trouble` tells of it.
    """
    result = read_check(body, scan_id)
    score = result.score
    return Answer(
        body=body,
        received_at=received_at,
        credits=0 if sandbox else result.actual_credits,
        expected_credits=0 if sandbox else result.expected_credits,
        score=Score(score.total_matches, score.full_matches, score.partial_matches)
        if score
        else None,
        matches=tuple(by_key(map(_match, result.internet)).values()),
        warnings=result.warnings,
        trouble=result.trouble,
    )


def not_read(body: bytes, received_at: float, error: Exception) -> Answer:
    """What there is to say of an answer whose reading failed on this machine, this time."""
    why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    trouble = f"reading it failed ({clean(why)}), which the next run tries again"
    return Answer(body, received_at, None, None, None, (), trouble=trouble)


def _match(said: InternetMatch) -> Match:
    return Match(
        url=said.url,
        kind=_KINDS[said.match_type],
        pages=said.web_pages,
        domain=registrable_domain(said.url),
    )
