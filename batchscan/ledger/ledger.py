"""The ledger: one SQLite connection, and an object for each group of tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from batchscan.errors import BatchscanError, StorageError
from batchscan.ledger.activity import Activity
from batchscan.ledger.block_cache import BlockCache
from batchscan.ledger.captures import Captures
from batchscan.ledger.charges import Charges
from batchscan.ledger.claims import Claims
from batchscan.ledger.connection import (
    open_for_change,
    open_for_reading,
    open_for_writing,
    unusable,
)
from batchscan.ledger.damage import check_whole, damage_behind, stamp
from batchscan.ledger.decision_history import DecisionHistory
from batchscan.ledger.dispositions import Dispositions
from batchscan.ledger.evidence import EvidenceReader
from batchscan.ledger.files import FileTable
from batchscan.ledger.identity import Identity, Noting, stamp_noted
from batchscan.ledger.integrity import ODD
from batchscan.ledger.known_pictures import KnownPictures
from batchscan.ledger.match_choice import ChosenMatches
from batchscan.ledger.match_history import MatchHistory
from batchscan.ledger.missing_folders import MissingFolders
from batchscan.ledger.outbox import Outbox
from batchscan.ledger.perspective import Allows, Perspective
from batchscan.ledger.presence import Presence
from batchscan.ledger.prune import Pruning
from batchscan.ledger.rate_limits import RateLimits
from batchscan.ledger.readings import Readings
from batchscan.ledger.realms import Realm, address_of, all_ids_of, enter, realm_id_of, similar_realm
from batchscan.ledger.rechecks import RecheckTables
from batchscan.ledger.renditions import Renditions
from batchscan.ledger.report_cache import ReportCache
from batchscan.ledger.report_view import ReportPictures, ReportView, Scope
from batchscan.ledger.reporting import Previews, Reporting
from batchscan.ledger.rescan_queue import RescanQueue
from batchscan.ledger.review import ReviewQueue
from batchscan.ledger.runs import Runs
from batchscan.ledger.stats import Stats

FILE_NAME = "ledger.sqlite3"


class Ledger:
    """Everything that was sent, answered and paid. Synchronous; for one thread at a time.

    Every call belongs into a `transaction()`, as `LedgerThread` does it.
    """

    _noting: Noting | None = None  # for the scan that holds the lock
    _presence: Presence | None = None  # likewise

    def __init__(  # noqa: PLR0915 - it names the ledger's parts
        self,
        connection: sqlite3.Connection,
        path: Path,
        realm: Realm,
        *,
        writable: bool,
        nearest: bool = False,
        record_events: bool = False,
    ) -> None:
        self._connection, self._writable = connection, writable
        realm_id, name = _realm_of(connection, realm, nearest=nearest)
        self.path, self.realm, self._realm_id = path, realm, realm_id
        seals = BlockCache(connection, realm_id, writable=writable)
        self.report_pictures = ReportPictures(connection)
        self.files = FileTable(connection, realm_id, seals, self.report_pictures)
        self.history = MatchHistory(connection, realm_id)
        self.claims = Claims(connection, realm_id, f"{name}\n{int(realm.sandbox)}", seals)
        self.known = KnownPictures(connection, realm_id, self.history)
        self.readings = Readings(connection, realm_id, self.files, record_events=record_events)
        self.runs = Runs(connection, realm_id)
        self.rate_limits = RateLimits(connection, address_of(realm.api_url))
        self.reporting = Reporting(connection, realm_id)
        self.missing_folders = MissingFolders(connection, realm_id)
        self.dispositions = Dispositions(connection, realm_id, self.history)
        self.previews = Previews(connection)
        self.report_cache = ReportCache(connection, writable=writable)
        self.rescan_queue = RescanQueue(connection)
        self.renditions = Renditions(connection, realm_id, seals)
        self.charges = Charges(connection, {realm_id, *all_ids_of(connection, realm)})
        self.stats = Stats(connection, self.history)
        self.activity = Activity(connection, realm_id)
        self.pruning = Pruning(connection)
        self.review_queue = ReviewQueue(connection, realm_id, self.history)
        self.evidence = EvidenceReader(connection, realm_id, self.history)
        self.decision_history = DecisionHistory(connection)
        self.chosen_matches = ChosenMatches(connection, realm_id, self.history)
        self.captures = Captures(connection, realm_id)
        self.rechecks = RecheckTables(connection, realm_id, self.history)
        self.outbox = Outbox(connection, realm_id, self.history)

    @classmethod
    def open(cls, state: Path, realm: Realm, *, record_events: bool = False) -> Ledger:
        """Open or create the ledger in the state folder, for a scan.

        Args:
            state: the state folder.
            realm: the realm of the scan.
            record_events: whether to record match events for alerts.

        Raises:
            StorageError: it cannot be used.
        """
        path = state / FILE_NAME
        before = stamp(path)
        connection = open_for_writing(path)
        with _closing_at_trouble(connection, path):
            if before is None or before != stamp_noted(state):
                check_whole(path)
            enter(connection, realm)
            return cls(connection, path, realm, writable=True, record_events=record_events)

    @classmethod
    def read(cls, state: Path, realm: Realm, *, nearest: bool = False) -> Ledger:
        """Open the ledger for reading: no lock, no file created, empty if there is none.

        Args:
            state: the state folder.
            realm: the realm to read.
            nearest: whether to read the realm of the last run if this one is not in the ledger.

        Raises:
            StorageError: it cannot be used.
        """
        path = state / FILE_NAME
        connection = open_for_reading(path)
        with _closing_at_trouble(connection, path):
            return cls(connection, path, realm, writable=False, nearest=nearest)

    @classmethod
    def change(cls, state: Path, realm: Realm) -> Ledger:
        """Open an existing ledger to enter decisions of people, also during a scan.

        Raises:
            StorageError: there is none, or it cannot be used.
        """
        path = state / FILE_NAME
        connection = open_for_change(path)
        with _closing_at_trouble(connection, path):
            return cls(connection, path, realm, writable=True, nearest=True)

    def view(
        self, scope: Scope, news_of: Iterable[str] = (), allows: Allows | None = None
    ) -> ReportView:
        """Open a view for a report.

        Args:
            scope: the pictures that it covers.
            news_of: the runs whose matches count as new.
            allows: whether rules allow a match; None without rules.
        """
        looking = Perspective(tuple(news_of), allows)
        return ReportView(
            self._connection, self._realm_id, self.history, self.report_pictures, scope, looking
        )

    @contextmanager
    def transaction(self, *, writing: bool = False) -> Iterator[None]:
        """Run the block in a transaction, which is durable when this ends.

        Args:
            writing: whether to lock out other writers from the start. Otherwise the first write
                fails if another connection has written since the first read.
        """
        self._connection.execute("BEGIN IMMEDIATE" if writing and self._writable else "BEGIN")
        try:
            yield
            self._connection.execute("COMMIT")
            if self._noting is not None:
                self._noting.note()
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @property
    def identity(self) -> Identity:
        """The identity of the ledger and its number of changes."""
        return Identity(self._connection)

    def note_changes(self) -> None:
        """Note the number of changes beside the ledger from now on; the lock must be held.

        Raises:
            StorageError: the state folder cannot be written.
        """
        try:
            self._noting = Noting(self.path.parent, self.identity)
            self._presence = Presence(self.path)
        except OSError as error:
            raise self.unusable(error) from error

    def similar_realm(self) -> str | None:
        """Another address on the same host that has answers, if this realm has none."""
        return similar_realm(self._connection, self.realm)

    def check_in_place(self) -> None:
        """Check that the open file is still the ledger; for the scan that holds the lock.

        Raises:
            StorageError: it was removed or replaced.
        """
        if self._presence is not None:
            self._presence.check()

    def unusable(self, error: BaseException) -> StorageError:
        """The error for a ledger that cannot be used because of `error`."""
        return error if isinstance(error, StorageError) else unusable(self.path, error)

    def explained(self, error: Exception) -> Exception:
        """The damage of the ledger that may explain an unexpected error, else the same error."""
        if isinstance(error, BatchscanError):
            return error
        damage = damage_behind(self._connection, self.path)
        if damage is not None:
            damage.__cause__ = error
        return damage or error

    def close(self) -> None:
        """Close the connection; the last one to close removes the write-ahead log."""
        if self._presence is not None:
            self._presence.save(self._connection)
        self._connection.close()
        if self._noting is not None:
            self._noting.close(stamp(self.path))


@contextmanager
def _closing_at_trouble(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Close the connection after an error; errors from invalid rows become `StorageError`."""
    try:
        yield
    except ODD as error:
        connection.close()
        raise unusable(path, error) from error
    except BaseException:
        connection.close()
        raise


def _realm_of(connection: sqlite3.Connection, realm: Realm, *, nearest: bool) -> tuple[int, str]:
    """The id of a realm (-1 if the ledger has none), and the address by which it was entered."""
    realm_id = realm_id_of(connection, realm)
    if realm_id is None and nearest:
        realm_id = connection.execute(
            "SELECT realm_id, api_url FROM runs JOIN realms ON realms.id = realm_id"
            " WHERE sandbox = ? ORDER BY runs.rowid DESC LIMIT 1",
            (realm.sandbox,),
        ).fetchone()
    return realm_id or (-1, address_of(realm.api_url))
