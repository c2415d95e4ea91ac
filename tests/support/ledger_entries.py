"""Pictures with matches put into a ledger as a scan would."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from batchscan.enums import MatchKind
from batchscan.ledger import Ledger
from batchscan.model import Match, Provenance
from batchscan.util.urls import registrable_domain
from tests.support.ledgers import answer, image
from tests.support.settling import settle

NOW = 1_795_456_957.0  # 2026-11-23 18:02 UTC


def shown(url: str, *pages: str, kind: MatchKind = MatchKind.FULL) -> Match:
    """A match as an answer has it."""
    return Match(url, kind, pages, registrable_domain(url))


def body_of(matches: Sequence[Match]) -> bytes:
    """An answer's body that shows these matches."""
    shown_ = [
        {
            "url": match.url,
            "matchType": int(match.kind is not MatchKind.FULL),
            "webPages": [{"url": page} for page in match.pages],
        }
        for match in matches
    ]
    return msgspec.json.encode({"matches": {"internet": shown_}})


def enter(
    ledger: Ledger,
    path: str,
    matches: Sequence[Match],
    *,
    run: str = "r1",
    generation: int = 1,
    provenance: Provenance | None = None,
) -> None:
    """Let a run have asked about a picture and been answered."""
    content = image(path, os.fsencode(path))
    with ledger.transaction():
        claim = ledger.claims.open(content, generation, run, NOW)
        answered = replace(
            answer(at=NOW + generation), body=body_of(matches), matches=tuple(matches)
        )
        settle(ledger, claim, answered, run)
        ledger.files.upsert(content.path, content.stat, picture_id=claim.picture_id)
        if provenance:
            ledger.previews.put(claim.picture_id, None, msgspec.json.encode(provenance))
