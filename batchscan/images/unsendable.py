"""What ends an inspection before there is a picture to judge."""

from __future__ import annotations

from typing import Final

from batchscan.images.rules import Rules
from batchscan.model import Stat
from batchscan.names import FailReason, RejectReason

_MIB_LIMIT: Final = 20 * 1024 * 1024


class Unsendable(Exception):
    """Ends an inspection; what was learned of the file stands beside it."""

    def __init__(
        self, reason: RejectReason | FailReason, detail: str, status: Stat | None = None
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.status = status


def check_size(status: Stat, rules: Rules) -> None:
    """Hold a file's size against the rules, before a byte is read.

    Raises:
        Unsendable: it is empty or too large.
    """
    if not status.size:
        raise Unsendable(RejectReason.EMPTY, "the file is empty", status)
    if status.size >= (rules.max_source_bytes if rules.convert else rules.max_bytes):
        raise too_large(status, rules)


def too_large(status: Stat, rules: Rules) -> Unsendable:
    """The refusal of a file that has too many bytes and is not converted."""
    return Unsendable(RejectReason.TOO_LARGE, _too_large(status.size, rules.max_bytes), status)


def _too_large(size: int, limit: int) -> str:
    detail = (
        f"{size / 1e6:.1f} MB ({size:,} bytes); the service takes less than {limit / 1e6:g} MB "
        f"({limit:,} bytes): scale it down or compress it more"
    )
    if limit <= size < _MIB_LIMIT:
        detail += (
            f". It is less than 20 MiB, which the service may mean: set scan.max_bytes to "
            f"{_MIB_LIMIT:,} to try"
        )
    return detail
