"""What tests look at behind the product's interfaces, in one place."""

from __future__ import annotations

import sqlite3
from typing import Any

from batchscan.emulator import Emulator
from batchscan.ledger import Ledger


def connection_of(ledger: Ledger) -> sqlite3.Connection:
    """The ledger's own connection: for rows as damage, or another version, leaves them."""
    return ledger._connection


def times_met(emulator: Emulator) -> int:
    """How many requests its first fault fitted, those included that have no answer yet."""
    return emulator._book._rules[0]._met


def selector_of(loop: Any) -> Any:
    """What an event loop waits in."""
    return loop._selector
