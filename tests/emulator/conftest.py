"""Emulators that run while a test does, and clients that are logged in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import aiohttp
import pytest

from batchscan.emulator import Emulator, EmulatorConfig
from tests.support.emulator_client import Vendor, lenient

Serve = Callable[..., Awaitable[Vendor]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start an emulator of these settings, and log in to it."""
    async with AsyncExitStack() as stack:

        async def serving(config: EmulatorConfig | None = None, *, login: bool = True) -> Vendor:
            emulator = await stack.enter_async_context(Emulator(config or lenient()))
            session = await stack.enter_async_context(aiohttp.ClientSession())
            vendor = Vendor(emulator, session)
            if login:
                await vendor.login()
            return vendor

        yield serving
