"""Answers that were kept and never read, or not by a version that could: read now, for nothing.

Each reading is counted, durably, before it begins: one that ends the process is not tried for ever.
"""

from __future__ import annotations

import logging

from batchscan.copyleaks.responses import READER
from batchscan.engines.vendor_mapping import given_up, parse_answer
from batchscan.ledger import Ledger, LedgerThread

log = logging.getLogger(__name__)


async def read_stored_answers(ledger: LedgerThread, run_id: str, *, sandbox: bool) -> None:
    """Read what earlier runs have kept and this version may read; this run reports it.

    One at a time, in the ledger's thread. What fails is left to the next run: it is kept.

    Raises:
        StorageError: the ledger cannot be read.
    """
    for number in await ledger.run(lambda ledger: ledger.readings.to_read(READER)):
        await _read(ledger, number, run_id, sandbox=sandbox, late=True)


async def read_unread_answers(ledger: LedgerThread, *, sandbox: bool) -> None:
    """Read what killed runs had no time to; what fails is left to the next run.

    Raises:
        StorageError: the ledger cannot be read.
    """
    for number, run_id in await ledger.run(lambda ledger: ledger.readings.unread()):
        await _read(ledger, number, run_id, sandbox=sandbox, late=False)


def give_up(ledger: Ledger) -> None:
    """Read no more what ended one process after the other; it stays kept, and counts as unread."""
    for number, run_id, received_at, charged in ledger.readings.given_up():
        log.warning("answer %d is kept, and is not read: that ended two runs", number)
        answer = given_up(b"", received_at, charged)
        ledger.readings.give_up(number, answer, READER, run_id)


async def _read(
    ledger: LedgerThread, number: int, run_id: str, *, sandbox: bool, late: bool
) -> None:
    def read(ledger: Ledger) -> None:
        stored = ledger.claims.answer(number)
        if stored is None:
            return
        answer = parse_answer(stored.body, stored.received_at, stored.scan_id, sandbox=sandbox)
        ledger.readings.enter(number, answer, READER, run_id, late=late)

    await ledger.run(lambda ledger: ledger.readings.begin(number))
    try:
        await ledger.run(read)
    except Exception as error:  # noqa: BLE001 - no run is lost over one answer
        log.warning("answer %d is kept, and could not be read: %r", number, error)
        await ledger.run(lambda ledger: ledger.readings.ended([number]))
