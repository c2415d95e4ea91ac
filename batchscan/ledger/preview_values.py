"""Previews as they stand in the ledger; damaged ones are none, as they can be made again."""

from __future__ import annotations

import msgspec

from batchscan.model import Provenance


def jpeg_in(value: object) -> bytes | None:
    """A thumbnail; None without a valid one."""
    return value if isinstance(value, bytes) and value else None


def provenance_in(value: object) -> Provenance | None:
    """A provenance from its JSON; None without a valid one."""
    if not isinstance(value, bytes) or not value:
        return None
    try:
        return msgspec.json.decode(value, type=Provenance)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
