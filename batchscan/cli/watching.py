"""Progress while a run goes on, also while it waits and no outcome comes."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable

from batchscan import progress
from batchscan.progress import ProgressState
from batchscan.settings import Output

_TICK = 0.2  # seconds between two looks


@contextlib.asynccontextmanager
async def watched(state: Callable[[], ProgressState], output: Output) -> AsyncIterator[None]:
    """Show on stderr how far a run is, until the block ends.

    Args:
        state: tells how far it is.
        output: how the user wants to see it.
    """
    if sys.stderr is None:
        yield
        return
    shown = progress.create(output.progress, sys.stderr, quiet=output.quiet)
    looking = asyncio.create_task(_look(state, shown))
    try:
        yield
    finally:
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):  # OSError: stderr has gone
            await looking
        with contextlib.suppress(OSError):
            shown.close()


async def _look(state: Callable[[], ProgressState], shown: progress.Progress) -> None:
    while True:
        shown.update(state())
        await asyncio.sleep(_TICK)
