"""The truth: what was sent, answered and paid, ever (SQLite, in the state folder)."""

from batchscan.ledger.files import Sorted
from batchscan.ledger.freshness import FileState, Standing
from batchscan.ledger.known import NOTHING_KNOWN, Known, OpenClaim, StoredAnswer
from batchscan.ledger.ledger import FILE_NAME, Ledger
from batchscan.ledger.match_history import Allows, Sighting
from batchscan.ledger.missing_folders import KnownFolder
from batchscan.ledger.outbox import Draft, Message, News, Waiting
from batchscan.ledger.prices import Prices
from batchscan.ledger.realms import Realm
from batchscan.ledger.report_cache import CachedFile
from batchscan.ledger.reporting import KnownFile
from batchscan.ledger.rescan_queue import Due
from batchscan.ledger.runs import StoredLine, StoredRun
from batchscan.ledger.thread import LedgerThread
from batchscan.model import Learned

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
