from __future__ import annotations

import pytest

from batchscan.ledger import Ledger
from tests.support.ledgers import REAL


@pytest.fixture
def ledger(tmp_path):
    opened = Ledger.open(tmp_path, REAL)
    yield opened
    opened.close()
