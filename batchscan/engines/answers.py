"""From the vendor's words to ours: what a kept body says, now and whenever it is read again."""

from __future__ import annotations

from batchscan.copyleaks.answers import FULL, PARTIAL, CheckResult, read_check
from batchscan.copyleaks.errors import BadResponse
from batchscan.model import Answer, Match, Score
from batchscan.names import MatchKind
from batchscan.urls import registrable_domain

_KINDS = {FULL: MatchKind.FULL, PARTIAL: MatchKind.PARTIAL, None: MatchKind.OTHER}


class UnreadableAnswer(ValueError):
    """A kept body that does not say which matches there are."""


def interpret(
    body: bytes, received_at: float, scan_id: str | None = None, *, sandbox: bool = False
) -> Answer:
    """Say what an answer's body says; the same for the same body, always.

    Raises:
        UnreadableAnswer: it holds no list of matches.
    """
    try:
        result = read_check(body, scan_id)
    except BadResponse as error:
        raise UnreadableAnswer(str(error)) from error
    return answer_of(result, body, received_at, sandbox=sandbox)


def answer_of(result: CheckResult, body: bytes, received_at: float, *, sandbox: bool) -> Answer:
    """Translate a check's result; the sandbox costs nothing, whatever its mock says."""
    score = result.score
    return Answer(
        body=body,
        received_at=received_at,
        credits=0 if sandbox else result.actual_credits,
        expected_credits=0 if sandbox else result.expected_credits,
        score=Score(score.total_matches, score.full_matches, score.partial_matches)
        if score
        else None,
        matches=tuple(
            Match(
                url=match.url,
                kind=_KINDS[match.match_type],
                pages=match.web_pages,
                domain=registrable_domain(match.url),
            )
            for match in result.internet
        ),
        warnings=result.warnings,
    )
