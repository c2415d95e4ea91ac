"""The counts of a run that are stored while it goes on, for its report if it is killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from batchscan.ledger import BlockStatus
from batchscan.settings import Settings
from batchscan.util.escaping import path_fields


class RunCheckpoint(msgspec.Struct, frozen=True):
    """The facts of a run that its lines do not have; stored in the ledger."""

    roots: tuple[str, ...] = ()
    unchanged: int = 0
    unchanged_bytes: int = 0
    news_of: tuple[str, ...] = ()  # killed runs whose new matches were not reported yet
    unchanged_rejected: dict[str, int] = {}  # by reason

    def with_more(self, blocks: Sequence[BlockStatus]) -> RunCheckpoint:
        """The checkpoint after more folders."""
        rejected = Counter(self.unchanged_rejected)
        for block in blocks:
            rejected.update(block.rejected)
        return RunCheckpoint(
            self.roots,
            self.unchanged + sum(block.unchanged for block in blocks),
            self.unchanged_bytes + sum(block.unchanged_bytes for block in blocks),
            self.news_of,
            dict(rejected),
        )


def first_checkpoint(settings: Settings) -> RunCheckpoint:
    """The checkpoint at the start of a run."""
    return RunCheckpoint(tuple(path_fields(root)[0] for root in settings.roots))
