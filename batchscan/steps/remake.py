"""The lines of a run's results.jsonl, made again from what the ledger keeps."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from batchscan.ledger import Ledger
from batchscan.model import Answer
from batchscan.results import ResultLine
from batchscan.steps.lines import told, with_answer
from batchscan.steps.sightings import with_history
from batchscan.steps.verdict import read_again

LINES_A_PAGE = 500


def remade_lines(ledger: Ledger, run_id: str) -> Iterator[tuple[ResultLine, Answer | None]]:
    """A run's lines with their matches put back, and the answers these come from."""
    after = 0
    while page := ledger.runs.lines(run_id, after, LINES_A_PAGE):
        for after, stored in page:  # noqa: B007 - the last number is where the next page starts
            line = msgspec.json.decode(stored.line, type=ResultLine)
            line = msgspec.structs.replace(line, run_id=run_id)  # of a run that was closed early
            kept = ledger.claims.answer(stored.answer_id)
            if kept is None:
                yield line, None
                continue
            said = read_again(kept, sandbox=line.sandbox)
            may_have = said.matches or kept.generation > 1
            history = ledger.history.of(kept.picture_id) if may_have else ()
            answer = with_history(said, history)
            yield with_answer(told(line, answer), answer), answer
