"""Parsing stored answers that were not parsed, or not completely by an older version, at no cost.

Each attempt is counted durably before it starts, so that a crash is not repeated for ever.
"""

from __future__ import annotations

import logging

from batchscan.copyleaks.responses import READER
from batchscan.engines.vendor_mapping import given_up, parse_answer
from batchscan.ledger import Ledger, LedgerThread

log = logging.getLogger(__name__)


async def read_stored_answers(ledger: LedgerThread, run_id: str, *, sandbox: bool) -> None:
    """Parse stored answers of earlier runs that this version may be able to read.

    One at a time, in the ledger's thread; their matches are new in this run. After an error the
    next run tries again.

    Raises:
        StorageError: the ledger cannot be read.
    """
    for number in await ledger.run(lambda ledger: ledger.readings.to_read(READER)):
        await _read(ledger, number, run_id, sandbox=sandbox, late=True)


async def read_unread_answers(ledger: LedgerThread, *, sandbox: bool) -> None:
    """Parse answers that killed runs did not; after an error the next run tries again.

    Raises:
        StorageError: the ledger cannot be read.
    """
    for number, run_id in await ledger.run(lambda ledger: ledger.readings.unread()):
        await _read(ledger, number, run_id, sandbox=sandbox, late=False)


def give_up(ledger: Ledger) -> None:
    """Give up on answers whose parsing crashed too often; they stay stored, with a trouble."""
    for number, run_id, received_at, charged in ledger.readings.given_up():
        log.warning("answer %d is kept but not read: two runs crashed while reading it", number)
        answer = given_up(b"", received_at, charged)
        ledger.readings.give_up(number, answer, READER, run_id)


async def _read(
    ledger: LedgerThread, number: int, run_id: str, *, sandbox: bool, late: bool
) -> None:
    def read(ledger: Ledger) -> None:
        stored = ledger.known.answer(number)
        if stored is None:
            return
        answer = parse_answer(stored.body, stored.received_at, stored.scan_id, sandbox=sandbox)
        ledger.readings.enter(number, answer, READER, run_id, late=late)

    await ledger.run(lambda ledger: ledger.readings.begin(number))
    try:
        await ledger.run(read)
    except Exception as error:  # noqa: BLE001 - one answer must not fail the run
        log.warning("answer %d is kept, and could not be read: %r", number, error)
        await ledger.run(lambda ledger: ledger.readings.ended([number]))
