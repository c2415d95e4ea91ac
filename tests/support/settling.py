"""Answers kept and entered as a scan does it, whatever their bodies say."""

from __future__ import annotations

from batchscan.copyleaks.responses import READER
from batchscan.ledger import Ledger
from batchscan.model import Answer, Claim


def settle(ledger: Ledger, claim: Claim, answer: Answer, run_id: str) -> int:
    """Keep an answer, and enter what it is said to say; its number."""
    answer_id = ledger.claims.settle(claim, answer.body, answer.received_at, run_id)
    ledger.readings.enter(answer_id, answer, READER, run_id)
    return answer_id
