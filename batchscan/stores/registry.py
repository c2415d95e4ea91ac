"""Opening each store once, and closing all of them after their last use."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Final, TypeVar

from batchscan.errors import UsageError
from batchscan.model import Stat
from batchscan.store_kinds import STORES
from batchscan.stores.address import Address
from batchscan.stores.interface import Store
from batchscan.util.escaping import printable

AT_ONCE: Final = 16  # requests that are answered with few bytes
_open: dict[tuple[str, str], Store] = {}
_lock = threading.Lock()
_users = 0
T = TypeVar("T")
R = TypeVar("R")


def address_and_store(url: str) -> tuple[Address, Store]:
    """Read a URL and open its store, if it is not open yet.

    Raises:
        UsageError: there is no such store, its library is not installed, or the URL has a secret.
        OSError: it cannot be opened.
    """
    address = Address.of(url)
    with _lock:
        if (store := _open.get(address.store)) is None:
            kind = STORES[address.scheme]
            module = importlib.import_module(f"batchscan.stores.{kind.module}")
            store = _open[address.store] = getattr(module, kind.store)(address.authority)
        return address, store


def check(url: str) -> None:
    """Check that a root can be listed or read, before the scan starts.

    Raises:
        UsageError: it cannot.
    """
    address = Address.of(url)
    try:
        _, store = address_and_store(url)
        if not is_object(store, address):
            next(store.list(address.folder), None)
    except FileNotFoundError as error:
        raise UsageError(
            f"cannot scan '{printable(url)}': it is not there: {_why(error)}"
        ) from error
    except OSError as error:
        why = f"refused: {_why(error)}" if isinstance(error, PermissionError) else _why(error)
        raise UsageError(
            f"cannot scan '{printable(url)}': {why}",
            advice=f"credentials are the store's own: {STORES[address.scheme].credentials}",
        ) from error


def is_empty(folder_path: str) -> bool:
    """Whether a folder is empty or cannot be listed; `folder_path` is its path in results."""
    try:
        address, store = address_and_store(f"{folder_path}/")
        return next(store.list(address.folder), None) is None
    except (OSError, UsageError):
        return True


def is_object(store: Store, address: Address) -> bool:
    """Whether an address is an object's, not a folder's.

    Raises:
        OSError: the store does not answer.
    """
    if address.folder == address.key:
        return False
    try:
        store.stat(address.key)
    except (FileNotFoundError, PermissionError):
        # Who may not list gets the same answer for what is not there: the listing will show it.
        return False
    return True


def stats_of(urls: Iterable[str]) -> dict[str, Stat | None]:
    """The states of objects, requested concurrently; None if one does not exist or is refused."""
    return dict(together(_stat_of, urls))


def together(function: Callable[[T], R], items: Iterable[T]) -> list[tuple[T, R]]:
    """Call a function for many items in threads; returns the results in order."""
    several = list(items)
    with ThreadPoolExecutor(min(AT_ONCE, len(several)) or 1, "stores") as pool:
        return list(zip(several, pool.map(function, several), strict=True))


@contextmanager
def using() -> Iterator[None]:
    """Keep stores open during the block; blocks while they are closed at its end."""
    global _users  # noqa: PLW0603 - connections are the process's, as fsspec's own thread is
    with _lock:
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            closing = [] if _users else list(_open.values())
            if not _users:
                _open.clear()
        for store in closing:
            with suppress(Exception):  # it is not needed any more
                store.close()


def _stat_of(url: str) -> Stat | None:
    try:
        address, store = address_and_store(url)
        return store.stat(address.key)
    except (OSError, UsageError):
        return None


def _why(error: OSError) -> str:
    return error.strerror or str(error)
