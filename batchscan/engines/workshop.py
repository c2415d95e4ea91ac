"""What inspects files and portrays pictures in threads, on whichever machine."""

from __future__ import annotations

import asyncio
from functools import partial

from batchscan.engines.crew import Crew
from batchscan.images.allowance import Allowance
from batchscan.images.inspect import inspect
from batchscan.images.judge import Judge
from batchscan.images.portrait import Portrait, Portraitist
from batchscan.images.raw_process import RawProcess
from batchscan.images.rules import Rules
from batchscan.model import Candidate, Image, NotSendable
from batchscan.settings import Scan


class Workshop:
    """Some threads, a judge and a portraitist; what is decoded at once is bounded for all."""

    def __init__(self, scan: Scan, threads: int) -> None:
        """Prepare; threads and child processes start when they are needed."""
        self._follow = scan.follow_symlinks
        self._rules = Rules.of(scan)
        pixels, self._raw_process = Allowance(self._rules.max_pixels), RawProcess()
        self._judge = Judge(self._rules, self._raw_process, pixels)
        self._portraitist = Portraitist(pixels, self._raw_process, self._rules.max_pixels)
        self._crew = Crew(threads, "inspect")

    async def inspect(self, candidate: Candidate) -> Image | NotSendable:
        """Read, hash and judge one file, in one hop to a thread."""

        def work() -> Image | NotSendable:
            return inspect(candidate, self._judge, self._rules, follow=self._follow)

        return await self._crew.do(work)

    async def portray(self, image: Image) -> Portrait:
        """Make a thumbnail of a picture with matches, and read who made it; never raises."""
        return await self._crew.do(partial(self._portraitist.portray, image))

    async def aclose(self) -> None:
        """End threads and child processes."""
        await asyncio.to_thread(self._crew.close)
        await asyncio.to_thread(self._raw_process.close)
