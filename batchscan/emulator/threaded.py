"""An emulator in a thread with its own event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from batchscan.emulator.config import EmulatorConfig
from batchscan.emulator.server import Emulator


@contextmanager
def serve_in_thread(config: EmulatorConfig) -> Iterator[Emulator]:
    """Run an emulator while the block runs.

    `url`, `web_url` and `journal` may be read meanwhile, and `faults` replaced.

    Raises:
        UsageError: as `Emulator` does.
        OSError: the port is taken.
    """
    ready: Future[tuple[Emulator, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    thread = threading.Thread(
        target=lambda: asyncio.run(_serve(config, ready)), name="emulator", daemon=True
    )
    thread.start()
    emulator, loop, stop = ready.result()
    try:
        yield emulator
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


async def _serve(
    config: EmulatorConfig,
    ready: Future[tuple[Emulator, asyncio.AbstractEventLoop, asyncio.Event]],
) -> None:
    stop = asyncio.Event()
    try:
        async with Emulator(config) as emulator:
            ready.set_result((emulator, asyncio.get_running_loop(), stop))
            await stop.wait()
    except BaseException as error:
        if ready.done():
            raise
        ready.set_exception(error)  # it is the caller's
