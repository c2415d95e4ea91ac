"""A plain client of the vendor's API, and a clock that stands still."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from batchscan.emulator import Emulator, EmulatorConfig, JournalEntry
from tests.support import pictures


class Clock:
    """Moves only when told."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@dataclass
class Reply:
    status: int
    headers: Any
    body: bytes
    json: Any = None


@dataclass
class Vendor:
    """Speaks to an emulator, logged in or not."""

    emulator: Emulator
    session: aiohttp.ClientSession
    token: str | None = None
    kept: list[str] = field(default_factory=list)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    async def ask(self, method: str, path: str, **kwargs: Any) -> Reply:
        kwargs.setdefault("headers", self.headers)
        async with self.session.request(method, self.emulator.url + path, **kwargs) as response:
            body = await response.read()
            json = None
            if response.content_type.endswith("json"):
                try:
                    json = await response.json(content_type=None)
                except ValueError:
                    json = None
            return Reply(response.status, response.headers, body, json)

    async def login(self, email: str = "somebody@example.com", key: str = "a key") -> Reply:
        reply = await self.ask(
            "POST", "/v3/account/login/api", json={"email": email, "key": key}, headers={}
        )
        if reply.status == 200:
            self.token = reply.json["access_token"]
            self.kept.append(reply.json["access_token"])
        return reply

    async def check(
        self,
        scan_id: str = "my-scan-1",
        image: bytes | None = None,
        name: str | None = "a.jpg",
        *,
        sandbox: bool = False,
        **texts: str,
    ) -> Reply:
        form = aiohttp.FormData()
        image = pictures.jpeg() if image is None else image
        form.add_field("image", image, filename=name or "part.jpg", content_type="image/jpeg")
        if name is not None:
            form.add_field("filename", name)
        form.add_field("sandbox", str(sandbox).lower())
        for key, value in texts.items():
            form.add_field(key, value)
        return await self.post(scan_id, form)

    async def post(self, scan_id: str, data: Any, **headers: str) -> Reply:
        path = f"/v1/image-plagiarism-detector/{scan_id}/check"
        return await self.ask("POST", path, data=data, headers=self.headers | headers)

    async def journalled(self) -> JournalEntry:
        """Wait for the first check's entry."""
        async with asyncio.timeout(90):
            while not self.emulator.journal.of("check"):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
        return self.emulator.journal.of("check")[0]

    async def credits(self) -> Reply:
        return await self.ask("GET", "/v3/scans/credits")


def lenient(**changes: Any) -> EmulatorConfig:
    """An emulator's configuration that no test runs into the rate of by accident."""
    return EmulatorConfig(**({"rates": ()} | changes))
