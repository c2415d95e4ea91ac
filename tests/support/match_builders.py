"""Matched pictures as a browser is shown them: plain, hostile, and by the thousand."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache
from typing import Any

from batchscan.enums import Disposition, MatchKind, MatchState
from batchscan.model import Provenance, TrackedMatch
from batchscan.report import Report
from batchscan.report_sections import (
    MatchSummary,
    PictureMatches,
)
from batchscan.util.urls import registrable_domain
from tests.support.pictures import encoded, image
from tests.support.report_builders import totals
from tests.support.report_facts import allow_rule, books, domain_count, match_totals, report

NOW = 1_795_456_957.0  # 2026-11-23 18:02 UTC
DAY = 86_400.0
GONE, NEW = MatchState.GONE, MatchState.NEW
CANARY = "window.canary = 1"

# What other people may call a picture, a site or a page, to steer or to break whoever reads it.
STRINGS = [
    f"<script>{CANARY}</script>",
    f"</script><script>{CANARY}</script>",
    f"</style><script>{CANARY}</script><style>*{{display:none}}",
    f"<img src=x onerror='{CANARY}'>",
    f"\"><svg onload='{CANARY}'>",
    f"' onmouseover='{CANARY}' autofocus onfocus='{CANARY}' x='",
    f"` style=`background:url(javascript:{CANARY})`",
    f"--><script>{CANARY}</script><!--",
    f"]]><script>{CANARY}</script>",
    "{{7*7}} {% raw %} {{ config }} ${7*7} #{7*7}",
    "%s %n {0} {__class__}",
    "&lt;b&gt; &amp;amp; &#x3c;b&#x3e;",
    "\u202egpj.exe\u2066\u200f",
    "nul \x00 bell \x07 escape \x1b[2J feed \r\n line \u2028\u0085",
    "half \ud800 a pair, not UTF-8 \udcff",
    "ﷺ" * 20 + "a" + "\u0300" * 200,
    "שלום/عربي.jpg",
    "x" * 1_000_000,
    "w i d e " * 100,
    "-",
]
NAMES = [text.replace("\ud800", "\ufffd") for text in STRINGS]  # what os.fsdecode may give
URLS = [
    *(f"https://example.com/{text}.jpg" for text in STRINGS),
    f"javascript:{CANARY}",
    f" \x01JaVaScRiPt:{CANARY}",
    f"java\nscript:{CANARY}",
    f"data:text/html,<script>{CANARY}</script>",
    f"vbscript:{CANARY}",
    "file:///etc/passwd",
    "blob:https://example.com/1",
    "//example.org/no-scheme.jpg",
    "http://[::1",
    "https://example.com:99999/port.jpg",
    "https://paypal.example@evil.example/login.jpg",
    "https://example.org\\@evil.example/back.jpg",
    "https://xn--80ak6aa92e.example/a.jpg",
    "https://ex\u202eample.com\x1b.test/a.jpg",
    "https:///no-host.jpg",
    "HTTPS://EXAMPLE.ORG/A B.JPG",
    "https://<script>.example/a.jpg",
    "#p1",
    "?a=b",
    "",
]


def match(url: str, *pages: str, **changes: Any) -> TrackedMatch:
    given: dict[str, Any] = {
        "kind": MatchKind.FULL,
        "domain": registrable_domain(url),
        "state": MatchState.KNOWN,
        "first_seen": NOW - 3 * DAY,
        "last_seen": NOW,
        "disposition": Disposition.OPEN,
    }
    return TrackedMatch(url=url, pages=pages, **(given | changes))


def picture(path: str | bytes, *matches: TrackedMatch, **changes: Any) -> PictureMatches:
    raw = os.fsencode(path)
    given: dict[str, Any] = {
        "sha256": hashlib.sha256(raw).hexdigest(),
        "size": 2_345_678,
        "format": "jpeg",
        "width": 4_000,
        "height": 3_000,
        "scanned_at": NOW,
        "credits": 1,
        "thumbnail": thumbnail(len(raw) % 7),
    }
    return PictureMatches(path=raw, matches=matches, **(given | changes))


@cache
def thumbnail(seed: int = 0, size: int = 1_500, form: str = "JPEG") -> bytes:
    """A small file of about so many bytes: as they are made, or as the first versions made them."""
    data = encoded(image(112, 84, seed), form, quality=60)
    if form == "JPEG":  # what follows its end is left out
        return data.ljust(size, b"\0")
    padding = max(0, size - len(data) - 8) // 2 * 2
    data += b"junk" + padding.to_bytes(4, "little") + bytes(padding)  # a chunk of no known kind
    return data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:]


def hostile() -> list[PictureMatches]:
    """Pictures of hostile names, origins, addresses and pages."""
    found = []
    for number, text in enumerate(STRINGS):
        state = (NEW, MatchState.KNOWN, GONE)[number % 3]
        pages = [f"https://example.net/{text}", f"javascript:{CANARY}//{text}", text]
        found.append(
            picture(
                f"/pics/{NAMES[number]}",
                match(f"https://example.com/{number}?{text}", *pages, state=state),
                match(text, text, domain=text[:400], kind=MatchKind.PARTIAL),
                format=text[:10],
                thumbnail=None if number % 4 else b"RIFF" + text[:50].encode(errors="replace"),
                provenance=Provenance(text, text, text, text),
            )
        )
    every = [match(url, url, state=NEW) for url in URLS]
    found += [picture(f"/pics/{n}.jpg", *every[n : n + 12]) for n in range(0, len(every), 12)]
    return found


def hostile_report() -> Report:
    """A report whose every string is hostile."""
    digest = MatchSummary(
        matches=match_totals(len(STRINGS), 99, 50, 49, new=40, gone=3, worklist=50),
        domains=tuple(domain_count(text[:400], 1, 1, 0, 1, 0, 1) for text in [*STRINGS, ""]),
        rules=tuple(
            allow_rule(text, text, text, date(2026, 1, 1), expired=True, covers=0)
            for text in STRINGS
        ),
    )
    tally = books(scanned=5, failed={"network": 2})
    tally.empty_roots = NAMES
    return report(
        tally,
        digest,
        roots=tuple(NAMES),
        message=STRINGS[0],
        advice=STRINGS[1],
        partial=True,
        version=STRINGS[3],
    )


def many(count: int, *, matches: int = 3, pages: int = 1) -> Iterator[PictureMatches]:
    """So many matched pictures, made as they are asked for; the first tenth has new matches."""
    for number in range(count):
        state = NEW if number < count // 10 else MatchState.KNOWN
        yield picture(
            f"/srv/pictures/{2000 + number % 26}/{number % 97:03}/IMG_{number:06}.jpg",
            *(_of_many(number, place, pages, state) for place in range(matches)),
            thumbnail=thumbnail(number % 50),
        )


def _of_many(number: int, place: int, pages: int, state: MatchState) -> TrackedMatch:
    site = f"site{(number + place) % 400}.example"
    return match(
        f"https://images.{site}/uploads/2026/{number}/photograph-{place}.jpg",
        *(
            f"https://www.{site}/articles/{number}/{page}-a-page-that-shows-it"
            for page in range(pages)
        ),
        kind=MatchKind.FULL if place % 2 == 0 else MatchKind.PARTIAL,
        state=state,
    )


def report_of(pictures: Iterable[PictureMatches], **changes: Any) -> Report:
    """The report that fits these pictures, all of them scanned."""
    found = list(pictures)
    sites: dict[str, list[tuple[int, TrackedMatch]]] = {}
    for number, one in enumerate(found):
        for m in one.matches:
            if m.state != GONE:
                sites.setdefault(m.domain, []).append((number, m))
    digest = MatchSummary(
        matches=totals(found),
        domains=tuple(
            domain_count(
                name,
                len({number for number, _ in seen}),
                sum(m.kind == MatchKind.FULL for _, m in seen),
                sum(m.kind == MatchKind.PARTIAL for _, m in seen),
                new=sum(m.state == NEW for _, m in seen),
            )
            for name, seen in sorted(sites.items(), key=lambda item: -len(item[1]))
        ),
    )
    return report(books(scanned=len(found)), digest, **changes)
