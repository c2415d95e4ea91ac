from __future__ import annotations

import pytest

from tests.alerts.receiver import receiving
from tests.ledger.conftest import ledger

__all__ = ["ledger"]


@pytest.fixture
async def receiver():
    async with receiving() as opened:
        yield opened
