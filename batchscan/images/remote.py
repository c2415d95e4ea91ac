"""Pictures in stores: their bytes by one request, and the first bytes of many."""

from __future__ import annotations

from collections.abc import Sequence

from batchscan.errors import UsageError
from batchscan.images.rules import Rules
from batchscan.images.signature import HEAD_BYTES
from batchscan.images.unsendable import Unsendable, check_size
from batchscan.model import Candidate, Stat
from batchscan.names import FailReason
from batchscan.stores import Changed, address_and_store
from batchscan.stores.opening import together


def fetch(candidate: Candidate, rules: Rules) -> tuple[bytes, Stat]:
    """Give an object's bytes and the state that they belong to.

    Raises:
        Unsendable: it is empty, too large, or changed since it was listed.
        OSError: it is gone, or cannot be read.
    """
    try:
        address, store = address_and_store(candidate.path)
        status = candidate.stat or store.stat(address.key)
        check_size(status, rules)
        data = store.read(address.key, status.size + 1, status)
    except UsageError as error:  # of a list: the roots have been checked
        raise Unsendable(FailReason.UNREADABLE, f"cannot be read: {error}") from error
    except Changed as error:
        detail = "the file changed between listing and reading it"
        raise Unsendable(FailReason.CHANGED_WHILE_READING, detail, candidate.stat) from error
    if len(data) != status.size:
        detail = "the file changed while it was read"
        raise Unsendable(FailReason.CHANGED_WHILE_READING, detail, status)
    return data, status


def heads(urls: Sequence[str]) -> list[bytes | None]:
    """The first bytes of objects, many at once; None of those that cannot be read."""
    return [head for _, head in together(_head, urls)]


def _head(url: str) -> bytes | None:
    try:
        address, store = address_and_store(url)
        return store.read(address.key, HEAD_BYTES)
    except FileNotFoundError:
        return b""  # removed meanwhile: it was never there
    except (OSError, UsageError):
        return None
