"""What inspects files and portrays pictures in threads, on whichever machine."""

from __future__ import annotations

import asyncio
from functools import partial

from batchscan.engines.crew import Crew
from batchscan.images.allowance import Allowance
from batchscan.images.decoded import Decoded
from batchscan.images.decoding.pool import Decoders
from batchscan.images.inspect import inspect
from batchscan.images.judge import Judge
from batchscan.images.portrait import Portrait, Portraitist
from batchscan.images.rules import Rules
from batchscan.images.sending import make_sendable
from batchscan.model import Candidate, Image, NotSendable
from batchscan.names import FailReason
from batchscan.settings import Settings


class Workshop:
    """Some threads, a judge and a portraitist; what is decoded at once is bounded for all."""

    def __init__(self, settings: Settings, threads: int) -> None:
        """Prepare; threads and child processes start when they are needed."""
        self._follow = settings.scan.follow_symlinks
        self._rules = Rules.of(settings.scan, settings.send)
        pixels = Allowance(self._rules.max_pixels)
        self._decoders = Decoders(pixels=pixels)
        decoded = Decoded()
        self._judge = Judge(self._rules, self._decoders, pixels, decoded)
        self._portraitist = Portraitist(pixels, self._decoders, self._rules.max_pixels, decoded)
        self._crew = Crew(threads, "inspect")

    async def inspect(self, candidate: Candidate) -> Image | NotSendable:
        """Read, hash and judge one file, in one hop to a thread."""

        def work() -> Image | NotSendable:
            return inspect(candidate, self._judge, self._rules, follow=self._follow)

        return await self._crew.do(work)

    async def make_sendable(self, image: Image, candidate: Candidate) -> Image | NotSendable:
        """Make what is sent for a picture: stripped, converted, or the file as it is."""
        if image.ready:
            return image

        def work() -> Image | NotSendable:
            if image.data:
                return make_sendable(image, self._decoders, self._rules)
            return self._read_again(image, candidate)

        return await self._crew.do(work)

    def _read_again(self, image: Image, candidate: Candidate) -> Image | NotSendable:
        """Read a file that is not in memory (any more); it must hold what it held before."""
        found = inspect(candidate, self._judge, self._rules, follow=self._follow, convert=True)
        if isinstance(found, NotSendable):
            return found
        if found.sha256 == image.sha256:
            ready = found.ready
            return found if ready else make_sendable(found, self._decoders, self._rules)
        detail = "the file changed between two readings"
        return NotSendable(image.path, found.stat, FailReason.CHANGED_WHILE_READING, detail)

    async def portray(self, image: Image) -> Portrait:
        """Make a thumbnail of a picture with matches, and read who made it; never raises."""
        return await self._crew.do(partial(self._portraitist.portray, image))

    async def aclose(self) -> None:
        """End threads and child processes."""
        await asyncio.to_thread(self._crew.close)
        await asyncio.to_thread(self._decoders.close)
