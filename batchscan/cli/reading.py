"""Looking into the ledger: no lock, nothing written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from batchscan.ledger import Ledger, Realm
from batchscan.settings import Settings
from batchscan.settings.places import state_folder


@contextmanager
def reading(settings: Settings) -> Iterator[Ledger]:
    """Open the ledger of these settings to look only, all of it as of one moment.

    Raises:
        UsageError: there is no home folder, and no state folder is set.
        StorageError: the ledger cannot be used.
    """
    realm = Realm(settings.api.url.rstrip("/"), settings.api.sandbox)
    with closing(Ledger.read(state_folder(settings), realm)) as ledger:
        try:
            with ledger.transaction():
                yield ledger
        except sqlite3.Error as error:
            raise ledger.unusable(error) from error
