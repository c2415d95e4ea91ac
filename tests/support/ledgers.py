"""What ledgers are filled with: images and their answers."""

from __future__ import annotations

import hashlib
import itertools
import os

from batchscan.enums import MatchKind
from batchscan.ledger import FreshnessPolicy, Ledger, Realm, Scope, ThisProcess
from batchscan.model import Answer, Image, Match, Score, Stat
from batchscan.report_sections import MatchSummary
from tests.support.settling import settle

REAL = Realm("https://api.example.com", sandbox=False)


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


def listing(folder):
    return {name: (folder / name).read_bytes() for name in os.listdir(folder)}


POLICY = FreshnessPolicy(rules="r1", run_id="this run", answers_since=0.0)


def entry(name: str, stat) -> tuple[str, int, int, int]:
    return (name, *stat)


def settled(ledger, path: str, content: bytes = b"content", at: float = 1000.0, urls=()):
    picture = image(path, content)
    claim = ledger.claims.open(picture, 1, "run", 0.0)
    settle(ledger, claim, answer(*urls, at=at), "run")
    ledger.files.upsert(path, picture.stat, picture_id=claim.picture_id)
    return picture


SEEN = ThisProcess()


def digest(ledger: Ledger, *news_of: str, scope: Scope = SEEN) -> MatchSummary:
    """What a report without allow rules would say; the matches of these runs are new."""
    return ledger.view(scope, news_of).summary(lambda *_: None, tuple)
