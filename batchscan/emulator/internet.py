"""The folder that is the emulator's internet: searched, and served."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiohttp import web

from batchscan.emulator.bodies import Match
from batchscan.emulator.config import EmulatorConfig
from batchscan.emulator.uploads import Upload
from batchscan.images.kinds import Kind


class Internet:
    """Pictures and pages below one folder."""

    def __init__(self, config: EmulatorConfig, url_of: Callable[[str], str]) -> None:
        self._config = config
        self._url_of = url_of

    def start(self) -> None:
        """Begin to read the pictures."""

    async def stop(self) -> None:
        """End."""

    async def find(self, upload: Upload, kind: Kind) -> Sequence[Match]:  # noqa: ARG002
        """Find a picture."""
        return ()

    async def page(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002
        """Serve a file."""
        raise web.HTTPNotFound
