from __future__ import annotations

import pytest

from tests.ledger.conftest import ledger
from tests.support.receiver import receiving

__all__ = ["ledger"]


@pytest.fixture
async def receiver():
    async with receiving() as opened:
        yield opened
