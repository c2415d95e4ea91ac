"""Answers that were kept and never read, or not by a version that could: read now, for nothing."""

from __future__ import annotations

import logging

from batchscan.copyleaks.responses import READER
from batchscan.engines.vendor_mapping import parse_answer
from batchscan.ledger import Ledger, LedgerThread, StoredAnswer

log = logging.getLogger(__name__)


async def read_stored_answers(ledger: LedgerThread, run_id: str, *, sandbox: bool) -> None:
    """Read what earlier runs have kept and this version may read; this run tells of it.

    One at a time, in the ledger's thread. What fails is left to the next run: it is kept.

    Raises:
        StorageError: the ledger cannot be read.
    """
    for number in await ledger.run(lambda ledger: ledger.readings.to_read(READER)):

        def read(ledger: Ledger, number: int = number) -> None:
            stored = ledger.claims.answer(number)
            if stored is not None:
                enter(ledger, stored, run_id, sandbox=sandbox, late=True)

        try:
            await ledger.run(read)
        except Exception as error:  # noqa: BLE001 - no run is lost over one answer
            log.warning("answer %d is kept, and could not be read: %r", number, error)


def read_unread_answers(ledger: Ledger, run_id: str, *, sandbox: bool) -> None:
    """Read what a killed run had no time to; what fails is left to the next run."""
    for stored in ledger.readings.unread_of(run_id):
        try:
            enter(ledger, stored, run_id, sandbox=sandbox)
        except Exception as error:  # noqa: BLE001 - no run is lost over one answer
            log.warning("answer %d is kept, and could not be read: %r", stored.id, error)


def enter(
    ledger: Ledger, stored: StoredAnswer, run_id: str, *, sandbox: bool, late: bool = False
) -> None:
    """Read one answer and enter what it says."""
    answer = parse_answer(stored.body, stored.received_at, stored.scan_id, sandbox=sandbox)
    ledger.readings.enter(stored.id, answer, READER, run_id, late=late)
