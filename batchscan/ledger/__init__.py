"""The truth: what was sent, answered and paid, ever (SQLite, in the state folder)."""

from batchscan.ledger.files import Sorted
from batchscan.ledger.history import Allows, Sighting
from batchscan.ledger.known import NOTHING_KNOWN, Known, OpenClaim, StoredAnswer
from batchscan.ledger.missing import KnownFolder
from batchscan.ledger.outbox import Draft, Message, News, Waiting
from batchscan.ledger.overview import KnownFile
from batchscan.ledger.pacing import Learned
from batchscan.ledger.prices import Prices
from batchscan.ledger.realms import Realm
from batchscan.ledger.report_cache import CachedFile
from batchscan.ledger.rescans import Due
from batchscan.ledger.runs import StoredLine, StoredRun
from batchscan.ledger.standing import FileState, Standing
from batchscan.ledger.store import FILE_NAME, Ledger
from batchscan.ledger.thread import LedgerThread

__all__ = [
    "FILE_NAME",
    "NOTHING_KNOWN",
    "Allows",
    "CachedFile",
    "Draft",
    "Due",
    "FileState",
    "Known",
    "KnownFile",
    "KnownFolder",
    "Learned",
    "Ledger",
    "LedgerThread",
    "Message",
    "News",
    "OpenClaim",
    "Prices",
    "Realm",
    "Sighting",
    "Sorted",
    "Standing",
    "StoredAnswer",
    "StoredLine",
    "StoredRun",
    "Waiting",
]
