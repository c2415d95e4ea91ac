from __future__ import annotations

import pytest

from batchscan.capture.capturer import Capturer
from batchscan.enums import Disposition
from batchscan.images.decoding.pool import Decoders
from batchscan.ledger.match_choice import ChosenMatch
from batchscan.ledger.match_rows import MatchKey

PICTURE = "http://site.example/copy.png"
PAGE = "http://site.example/page.html"


def chosen(url: str = PICTURE, *pages: str) -> ChosenMatch:
    return ChosenMatch(
        MatchKey(1, url), url, pages, "site.example", Disposition.REVIEWED, "ab" * 32
    )


@pytest.fixture(scope="session")
def decoders():
    opened = Decoders(1)
    yield opened
    opened.close()


@pytest.fixture
def capturer(tmp_path, decoders):
    """A capturer of a state folder that asks a site."""

    def of(client) -> Capturer:
        return Capturer(client, decoders, str(tmp_path), "ann", lambda: 1_795_456_957.25)

    return of
