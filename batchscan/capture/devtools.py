"""One page of a Chromium, controlled over its DevTools protocol.

With `--screenshot` alone nobody answers a page's dialogs, and the browser waits until it is stopped.
The protocol's JSON texts go through two pipes of the process; a port could be used by others.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

MAX_MESSAGE: Final = 50_000_000
"""Bytes of one message: a screenshot of 30 MB in base64, and room."""

MAX_DOCUMENTS: Final = 10
"""How often a page may go on to another one: some never end doing so, and would never be shown."""

SETTLING: Final = 0.5
"""Seconds in which a loaded page may go on to another one, as those do that only redirect."""

_END: Final = b"\0"
_ENDED: Final = frozenset(
    {"Inspector.targetCrashed", "Target.detachedFromTarget", "Inspector.detached"}
)


class PageError(Exception):
    """The browser or its page has ended, or does not do what it is asked for."""


class PageNotThere(Exception):
    """Nothing came from the address of the page."""


@dataclass(frozen=True, slots=True)
class BrowserEnds:
    """The ends of the pipes that the browser gets: commands come from one, answers go to the other."""

    commands: int
    answers: int

    def close(self) -> None:
        """Close them here: the browser has its own, and its end is seen when those are closed."""
        os.close(self.commands)
        os.close(self.answers)


class BrowserPage:
    """A page, read and commanded by one task.

    Args:
        reader: of what the browser says.
        writer: of what it is told.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.WriteTransport) -> None:
        self._reader = reader
        self._writer = writer
        self._target: str | None = None
        self._session: str | None = None
        self._last_call = 0
        self._documents = 0
        self._is_there = False
        self._is_loaded = False

    async def open(self, width: int, height: int, *, scripts: bool) -> None:
        """Open an empty page of this size, with or without scripts.

        Raises:
            PageError: the browser ended, or cannot do this.
        """
        created = await self._call("Target.createTarget", url="about:blank")
        self._target = created["targetId"]
        attached = await self._call("Target.attachToTarget", targetId=self._target, flatten=True)
        self._session = attached["sessionId"]
        await self._call("Page.enable")
        await self._call("Fetch.enable", patterns=[{"resourceType": "Document"}])
        await self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        await self._call("Emulation.setScriptExecutionDisabled", value=not scripts)

    async def load(self, url: str, seconds: float) -> None:
        """Load a page for at most some seconds; one that goes on loading then is taken as it is.

        Raises:
            PageError: the browser or the page ended.
            PageNotThere: nothing came from its address.
        """
        try:
            async with asyncio.timeout(seconds):
                answer = await self._call("Page.navigate", url=url)
                if "errorText" in answer:
                    raise PageNotThere(str(answer["errorText"]))
                await self._come_to_rest()
        except TimeoutError:
            if not self._is_there:
                raise PageNotThere("it did not answer in time") from None
        self._documents = MAX_DOCUMENTS  # one that goes on now would never be shown

    async def _come_to_rest(self) -> None:
        """Wait until the page has loaded, and does not go on to another one at once.

        Raises:
            PageError: the browser or the page ended.
        """
        while True:
            await self._until(loaded=True)
            try:
                async with asyncio.timeout(SETTLING):
                    await self._until(loaded=False)
            except TimeoutError:
                return

    async def _until(self, *, loaded: bool) -> None:
        while self._is_loaded is not loaded:
            await self._next()

    async def screenshot(self) -> bytes:
        """What can be seen of it, as a PNG.

        Raises:
            PageError: the browser ended, or cannot make one.
        """
        answer = await self._call("Page.captureScreenshot", format="png")
        try:
            return base64.b64decode(answer["data"])
        except (KeyError, TypeError, binascii.Error):
            raise PageError("the browser gave no picture") from None

    async def _call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Have something done, and wait for the result.

        Raises:
            PageError: the browser ended, or refused it.
        """
        number = self._send(method, **parameters)
        while (message := await self._next()).get("id") != number:
            pass
        result = message.get("result")
        if not isinstance(result, dict):
            raise PageError(f"{method}: {message.get('error')}")
        return result

    def _send(self, method: str, **parameters: object) -> int:
        self._last_call += 1
        message: dict[str, object] = {
            "id": self._last_call,
            "method": method,
            "params": parameters,
        }
        if self._session is not None:
            message["sessionId"] = self._session
        self._writer.write(json.dumps(message).encode() + _END)
        return self._last_call

    async def _next(self) -> dict[str, Any]:
        """The next message, after what it asks for was done.

        Raises:
            PageError: the browser or the page ended.
        """
        try:
            message: dict[str, Any] = json.loads((await self._reader.readuntil(_END))[:-1])
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            raise PageError("the browser ended") from None
        self._react(message.get("method"), message.get("params", {}))
        return message

    def _react(self, event: str | None, about: dict[str, Any]) -> None:
        """Answer what waits for an answer, and note how far the page is.

        Raises:
            PageError: the page ended.
        """
        if event == "Page.javascriptDialogOpening":
            self._send("Page.handleJavaScriptDialog", accept=False)
        elif event == "Fetch.requestPaused":
            self._let_go_on(about["requestId"], is_page=about["frameId"] == self._target)
        elif event == "Page.frameNavigated" and about["frame"]["id"] == self._target:
            self._is_there = about["frame"]["url"] != "about:blank"
        elif event == "Page.frameStartedLoading" and about["frameId"] == self._target:
            self._is_loaded = False
        elif event == "Page.frameStoppedLoading" and about["frameId"] == self._target:
            self._is_loaded = self._is_there
        elif event in _ENDED:
            raise PageError("the page ended")

    def _let_go_on(self, request: str, *, is_page: bool) -> None:
        """Let a frame load a document, if it is not the page's that exceeds the limit."""
        self._documents += is_page
        if is_page and self._documents > MAX_DOCUMENTS:
            self._send("Fetch.failRequest", requestId=request, errorReason="Aborted")
        else:
            self._send("Fetch.continueRequest", requestId=request)


@asynccontextmanager
async def pipes() -> AsyncIterator[tuple[BrowserPage, BrowserEnds]]:
    """Make the pipes of one browser, and the page that is controlled through them."""
    loop = asyncio.get_running_loop()
    commands_out, commands_in = os.pipe()
    answers_out, answers_in = os.pipe()
    reader = asyncio.StreamReader(MAX_MESSAGE)
    reading, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(answers_out, "rb", 0)
    )
    writer, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(commands_in, "wb", 0))
    try:
        yield BrowserPage(reader, writer), BrowserEnds(commands_out, answers_in)
    finally:
        reading.close()
        writer.close()
