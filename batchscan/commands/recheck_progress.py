"""How far a recheck is: a bar on a terminal, one line a minute elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Final

from batchscan.console.terminal import print_status
from batchscan.enums import RecheckVerdict
from batchscan.recheck.run import RecheckProgress
from batchscan.settings import Output

_TICK: Final = 0.2  # seconds
_SAY: Final = 60.0  # seconds between two lines


@contextlib.asynccontextmanager
async def show(state: Callable[[], RecheckProgress], output: Output) -> AsyncIterator[None]:
    """Show on stderr how far it is, until the block ends."""
    if output.quiet or output.progress == "none" or sys.stderr is None:
        yield
        return
    bar = output.progress == "auto" and sys.stderr.isatty()
    showing = asyncio.create_task(_bar(state) if bar else _lines(state))
    try:
        yield
    finally:
        showing.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):  # OSError: stderr has gone
            await showing


async def _bar(state: Callable[[], RecheckProgress]) -> None:
    from tqdm import tqdm  # noqa: PLC0415 - for terminals only

    with tqdm(unit=" matches", dynamic_ncols=True, file=sys.stderr, leave=False) as bar:
        while True:
            now = state()
            bar.total = now.total or None
            bar.n = now.done
            bar.set_postfix_str(_counts(now), refresh=False)
            bar.refresh()
            await asyncio.sleep(_TICK)


async def _lines(state: Callable[[], RecheckProgress]) -> None:
    printed_at = time.monotonic()
    while True:
        await asyncio.sleep(_TICK)
        now = state()
        if time.monotonic() - printed_at >= _SAY:
            printed_at = time.monotonic()
            print_status(f"{now.done:,} of {now.total:,} matches checked: {_counts(now)}")


def _counts(now: RecheckProgress) -> str:
    order = [verdict for verdict in RecheckVerdict if now.verdicts[verdict]]
    return ", ".join(f"{now.verdicts[verdict]:,} {wording(verdict)}" for verdict in order)


def wording(verdict: RecheckVerdict) -> str:
    """A verdict in words."""
    return verdict.value.replace("_", " ")
