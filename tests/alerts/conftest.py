from __future__ import annotations

import pytest

from batchscan.ledger import Ledger
from tests.support.ledgers import REAL
from tests.support.receiver import receiving


@pytest.fixture
def ledger(tmp_path):
    opened = Ledger.open(tmp_path, REAL, record_events=True)
    yield opened
    opened.close()


@pytest.fixture
async def receiver():
    async with receiving() as opened:
        yield opened
