"""The digest of the pictures that the ledger was told to see, with what people allow."""

from __future__ import annotations

from batchscan.digest import Digest
from batchscan.ledger import Ledger


def digest_of(ledger: Ledger) -> Digest:
    """What is known of the pictures seen."""
    ledger.history.allow_seen()
    return ledger.overview.digest()
