"""What tests look at behind the product's interfaces, in one place."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from batchscan.emulator import Emulator
from batchscan.ledger import Ledger

if TYPE_CHECKING:  # Dask takes long to load, and every worker of the tests would
    from batchscan.engines.cluster.worker_actor import WorkerActor


def connection_of(ledger: Ledger) -> sqlite3.Connection:
    """The ledger's own connection: for rows as damage, or another version, leaves them."""
    return ledger._connection


def times_met(emulator: Emulator) -> int:
    """How many requests its first fault fitted, those included that have no answer yet."""
    return emulator._book._rules[0]._met


def warm_up(actor: WorkerActor) -> WorkerActor:
    """Have an actor ready without the Dask worker that starts it."""
    actor._warm_up()
    return actor


def shown_of(whole: object, levels: int = 2) -> str:
    """What `repr` shows of an object and of what it holds, some levels down."""
    parts = vars(whole).values() if levels and hasattr(whole, "__dict__") else ()
    return repr(whole) + "".join(shown_of(part, levels - 1) for part in parts)


def selector_of(loop: Any) -> Any:
    """What an event loop waits in."""
    return loop._selector
