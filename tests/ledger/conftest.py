from __future__ import annotations

import hashlib
import itertools

import pytest

from batchscan.enums import MatchKind
from batchscan.ledger import Ledger, Realm
from batchscan.model import Answer, Image, Match, Score, Stat

REAL = Realm("https://api.example.com", sandbox=False)


@pytest.fixture
def ledger(tmp_path):
    opened = Ledger.open(tmp_path, REAL)
    yield opened
    opened.close()


_numbers = itertools.count(1)


def image(path: str = "/p/a.png", content: bytes = b"content") -> Image:
    return Image(
        path=path,
        stat=Stat(len(content), 10**18 + next(_numbers), 10**18),
        data=content,
        sha256=hashlib.sha256(content).hexdigest(),
        format="png",
        width=8,
        height=6,
        content_type="image/png",
        file_name="a.png",
    )


def answer(*urls: str, credits_: int | None = 1, at: float = 1000.0) -> Answer:
    matches = tuple(Match(url, MatchKind.FULL, (), "example.com") for url in urls)
    return Answer(
        body=b'{"matches": {"internet": []}}',
        received_at=at,
        credits=credits_,
        expected_credits=1,
        score=Score(len(urls), len(urls), 0),
        matches=matches,
    )
