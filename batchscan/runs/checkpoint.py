"""What is kept of a run that goes on, for the case that it is killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from batchscan.ledger import BlockStatus
from batchscan.settings import Settings
from batchscan.util.escaping import path_fields


class RunCheckpoint(msgspec.Struct, frozen=True):
    """What no line shows of a run, kept in the ledger for the case that it is killed."""

    roots: tuple[str, ...] = ()
    unchanged: int = 0
    unchanged_bytes: int = 0
    news_of: tuple[str, ...] = ()  # killed runs, whose news nobody has reported
    unchanged_rejected: dict[str, int] = {}  # of the unchanged, by reason

    def with_more(self, found: Sequence[BlockStatus]) -> RunCheckpoint:
        """The facts after more folders."""
        rejected = Counter(self.unchanged_rejected)
        for each in found:
            rejected.update(each.rejected)
        return RunCheckpoint(
            self.roots,
            self.unchanged + sum(each.unchanged for each in found),
            self.unchanged_bytes + sum(each.unchanged_bytes for each in found),
            self.news_of,
            dict(rejected),
        )


def first_checkpoint(settings: Settings) -> RunCheckpoint:
    """What is known of a run when it begins."""
    return RunCheckpoint(tuple(path_fields(root)[0] for root in settings.roots))
