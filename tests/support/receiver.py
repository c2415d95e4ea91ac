"""A webhook's other end on loopback: keeps what it hears, and fails as it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.servers import serving

PATH = "/hooks/T0-s3cr3t"


@dataclass(frozen=True)
class Heard:
    """A request, and whether it was taken."""

    headers: dict[str, str]
    body: bytes
    status: int  # 0: the connection was cut

    @property
    def message(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.body)
        return message

    @property
    def id(self) -> str:
        assert self.headers["Idempotency-Key"] == self.message["id"]
        return self.headers["Idempotency-Key"]


@dataclass
class Receiver:
    """What is answered next: statuses, 0 for a reset; then `otherwise`."""

    plan: list[int] = field(default_factory=list)
    otherwise: int = 204
    headers: dict[str, str] = field(default_factory=dict)  # of refusals
    answer: str = ""
    delay: float = 0.0
    heard: list[Heard] = field(default_factory=list)
    asked: int = 0  # requests that have begun
    url: str = ""

    @property
    def taken(self) -> list[Heard]:
        return [each for each in self.heard if each.status // 100 == 2]

    def urls(self) -> list[str]:
        """The URL of each match of each message that was taken."""
        return [match["url"] for each in self.taken for match in each.message["matches"]]

    async def handle(self, request: web.Request) -> web.Response:
        self.asked += 1
        body = await request.read()
        status = self.plan.pop(0) if self.plan else self.otherwise
        await asyncio.sleep(self.delay)
        self.heard.append(Heard(dict(request.headers), body, status))
        if not status:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        headers = {} if status // 100 == 2 else self.headers
        return web.Response(status=status, headers=headers, text=self.answer or None)


@asynccontextmanager
async def receiving(**settings) -> AsyncIterator[Receiver]:
    receiver = Receiver(**settings)
    async with serving(web.route("*", "/{any:.*}", receiver.handle)) as url:
        receiver.url = url + PATH
        yield receiver


def names(urls: Sequence[str]) -> list[str]:
    return sorted(url.partition("/web/")[2] for url in urls)
