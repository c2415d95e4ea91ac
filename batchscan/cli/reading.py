"""Looking into the ledger without a lock, and entering what people decide."""

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
    with _inside(Ledger.read(state_folder(settings), realm_of(settings), nearest=True)) as ledger:
        yield ledger


@contextmanager
def changing(settings: Settings) -> Iterator[Ledger]:
    """Open the ledger of these settings to enter what people decide: all of it, or nothing.

    Raises:
        UsageError: there is no home folder, and no state folder is set.
        StorageError: there is no ledger, or it cannot be used.
    """
    with _inside(Ledger.change(state_folder(settings), realm_of(settings))) as ledger:
        yield ledger


def realm_of(settings: Settings) -> Realm:
    """Whose answers these settings speak of."""
    return Realm(settings.api.url.rstrip("/"), settings.api.sandbox)


@contextmanager
def _inside(opened: Ledger) -> Iterator[Ledger]:
    with closing(opened) as ledger:
        try:
            with ledger.transaction():
                yield ledger
        except sqlite3.Error as error:
            raise ledger.unusable(error) from error
