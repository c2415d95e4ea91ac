"""Rebuilding the lines of a run's results.jsonl from the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import msgspec

from batchscan.enums import MatchState
from batchscan.ledger import Ledger, ReportView
from batchscan.model import Answer, Match, TrackedMatch
from batchscan.results import ResultLine
from batchscan.runs.answer_lines import read_again, with_answer, with_problem
from batchscan.util.urls import normalize_url

LINES_A_PAGE = 500


def rebuild_lines(
    ledger: Ledger, run_id: str, view: ReportView
) -> Iterator[tuple[ResultLine, Answer | None]]:
    """A run's lines with their matches, and the answers that these come from."""
    after = 0
    while page := ledger.runs.lines(run_id, after, LINES_A_PAGE):
        for after, stored in page:  # noqa: B007 - the last number is where the next page starts
            line = msgspec.json.decode(stored.line, type=ResultLine)
            line = msgspec.structs.replace(line, run_id=run_id)  # differs for late answers
            stored_answer = ledger.known.answer(stored.answer_id)
            if stored_answer is None:
                yield line, None
                continue
            reread = read_again(stored_answer, sandbox=line.sandbox)
            may_have = reread.matches or stored_answer.generation > 1
            history = view.matches_of(stored_answer.picture_id) if may_have else {}
            answer = with_history(reread, history)
            yield with_answer(with_problem(line, answer), answer), answer


def with_history(answer: Answer, history: Mapping[str, TrackedMatch]) -> Answer:
    """Add the history to each match, and the gone matches to the answer.

    Args:
        answer: as it was parsed.
        history: of its picture's matches, by normalized URL.
    """
    if not history:
        return answer
    keys = answer.keys
    if keys is None:
        keys = tuple(normalize_url(match.url) for match in answer.matches)
    return replace(
        answer,
        matches=tuple(
            _placed(match, history.get(key))
            for key, match in zip(keys, answer.matches, strict=True)
        ),
        gone=tuple(match for match in history.values() if match.state is MatchState.GONE),
    )


def _placed(match: Match, tracked: TrackedMatch | None) -> Match:
    """A match of an answer with its history."""
    if tracked is None:
        return match
    return msgspec.structs.replace(
        tracked, url=match.url, kind=match.kind, pages=match.pages, domain=match.domain
    )
