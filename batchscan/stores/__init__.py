"""Access to pictures in object stores and over SFTP.

Each store is reached through its own library, an extra of ours that is imported when it is first
needed, and with the credentials that this library finds by itself.
"""

from batchscan.stores.address import Address, shown
from batchscan.stores.interface import Changed, Item, Store
from batchscan.stores.registry import address_and_store, check, is_empty, stats_of, using

__all__ = [
    "Address",
    "Changed",
    "Item",
    "Store",
    "address_and_store",
    "check",
    "is_empty",
    "shown",
    "stats_of",
    "using",
]
