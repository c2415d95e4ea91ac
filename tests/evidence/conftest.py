from __future__ import annotations

import pytest

from batchscan.ledger import Ledger
from tests.support.evidence_ledgers import REALM, answer, answered, image, packed


@pytest.fixture
def ledger(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    opened = Ledger.open(state, REALM)
    yield opened
    opened.close()


@pytest.fixture
def pack_file(ledger, tmp_path):
    """A pack of two pictures and three answers."""
    for name, urls in (("a", ["https://a.example.com/1.jpg"]), ("b", ["http://example.com/2.jpg"])):
        answered(ledger, image(f"/p/{name}.png", name.encode()), answer(*urls))
    answered(ledger, image("/p/a.png", b"a"), answer("https://a.example.com/1.jpg"), run="run-2")
    path = tmp_path / "pack.zip"
    packed(ledger, path, domains=["example.com"])
    return path
