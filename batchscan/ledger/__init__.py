"""The SQLite database in the state folder: everything that was sent, answered and paid."""

from batchscan.ledger.charges import Spent
from batchscan.ledger.files import BlockStatus
from batchscan.ledger.freshness import FileStat, FreshnessPolicy
from batchscan.ledger.known import UNKNOWN_PICTURE, KnownPicture, OpenClaim, StoredAnswer
from batchscan.ledger.ledger import FILE_NAME, Ledger
from batchscan.ledger.missing_folders import KnownFolder
from batchscan.ledger.outbox import MatchEventRecord, Message, MessageDraft, PendingSummary
from batchscan.ledger.perspective import Allows, Perspective
from batchscan.ledger.prices import Prices
from batchscan.ledger.realms import Realm
from batchscan.ledger.rejections import RejectedFile
from batchscan.ledger.report_cache import CachedFile
from batchscan.ledger.report_view import Everything, OfRun, ReportView, Scope, ThisProcess
from batchscan.ledger.reporting import KnownFile
from batchscan.ledger.rescan_queue import DueRescan
from batchscan.ledger.runs import StoredLine, StoredRun
from batchscan.ledger.thread import LedgerThread
from batchscan.model import LearnedRate

__all__ = [
    "FILE_NAME",
    "UNKNOWN_PICTURE",
    "Allows",
    "BlockStatus",
    "CachedFile",
    "DueRescan",
    "Everything",
    "FileStat",
    "FreshnessPolicy",
    "KnownFile",
    "KnownFolder",
    "KnownPicture",
    "LearnedRate",
    "Ledger",
    "LedgerThread",
    "MatchEventRecord",
    "Message",
    "MessageDraft",
    "OfRun",
    "OpenClaim",
    "PendingSummary",
    "Perspective",
    "Prices",
    "Realm",
    "RejectedFile",
    "ReportView",
    "Scope",
    "Spent",
    "StoredAnswer",
    "StoredLine",
    "StoredRun",
    "ThisProcess",
]
