from __future__ import annotations

import pytest_asyncio

from tests.support.review import reading, serving, usual


@pytest_asyncio.fixture
async def server(tmp_path):
    """The review page of a small ledger."""
    usual(tmp_path)
    async with serving(tmp_path) as running:
        yield running


@pytest_asyncio.fixture
async def reader(server):
    async with reading(server) as somebody:
        yield somebody
