"""Matched pictures and the digest of them, as starting points of tests of the formats."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from batchscan.enums import Disposition, MatchKind, MatchState
from batchscan.model import TrackedMatch
from batchscan.report import Report
from batchscan.report_sections import (
    Matches,
    MatchSummary,
    PictureMatches,
)
from tests.support.report_facts import books, domain_count, match_totals, picture_summary, report

NOW = 1_795_456_957.25
HOSTILE = (
    "<script>alert(1)</script>",
    "javascript:alert(1)//",
    "\"'><img src=x onerror=alert(1)>",
    "a|b`c``d\\",
    "x\\|y",
    "[click](http://evil.example) ![i](http://evil.example/i.png)",
    "@everyone #1 GH-1 <http://evil.example> www.evil.example http://evil.example a@evil.example",
    "one\r\ntwo\u2028three\n\n# four\n| five | six |",
    "\u202egpj.exe\u200b\x00\x1b[2J\ufffe\ufffff",
    "=cmd|' /C calc'!A0",
    "+1;-1,@SUM(A1)\t",
    "]]>&lt;&#0;<![CDATA[",
    "[[ATTACHMENT|/etc/passwd]]",
    "\ud800 lone",
    "",
    " ",
    "*bold* _low_ ~~gone~~ $x$ &amp; :smile: \\",
    "é画像😀" * 30_000,
)


def match(url: str, kind: MatchKind = MatchKind.FULL, *pages: str, **changes: Any) -> TrackedMatch:
    given: dict[str, Any] = {
        "domain": "example.com",
        "state": MatchState.KNOWN,
        "first_seen": NOW - 1000,
        "last_seen": NOW,
        "disposition": Disposition.OPEN,
    }
    return TrackedMatch(url, kind, pages, **(given | changes))


def picture(path: str | bytes, *matches: TrackedMatch, **changes: Any) -> PictureMatches:
    raw = path if isinstance(path, bytes) else path.encode()
    given: dict[str, Any] = {
        "sha256": hashlib.sha256(raw).hexdigest(),
        "size": 1234,
        "format": "jpeg",
        "width": 640,
        "height": 480,
        "scanned_at": NOW,
        "credits": 1,
    }
    return PictureMatches(path=raw, matches=matches, **(given | changes))


def totals(pictures: Sequence[PictureMatches]) -> Matches:
    """Count as the digest's own words say; each picture and URL is here once."""
    found = [match for picture in pictures for match in picture.matches]
    there = [match for match in found if match.state != "gone"]
    return match_totals(
        images_with_matches=sum(
            any(match.state != "gone" for match in picture.matches) for picture in pictures
        ),
        total=len(there),
        full=sum(match.kind == "full" for match in there),
        partial=sum(match.kind == "partial" for match in there),
        new=sum(match.state == "new" for match in there),
        returned=sum(match.state == "returned" for match in there),
        gone=len(found) - len(there),
        allowed=sum(match.disposition == "allowed" for match in there),
        worklist=sum(match.disposition in ("open", "reviewed") for match in there),
    )


def report_of(pictures: Sequence[PictureMatches], digest: MatchSummary | None = None) -> Report:
    """The report of a run that saw these pictures, and failed and put off others."""
    tally = books(
        scanned=len(pictures),
        unchanged=7,
        rejected={"too_large": 3, "corrupt": 2},
        failed={"server_error": 8},
        deferred={"credits": 180},
    )
    tally.charged, tally.expected, tally.unreadable_folders = 600, 601, 1
    tally.empty_roots = ["/mnt/<photos>"]
    return report(tally, digest or MatchSummary(matches=totals(pictures)), balance=12)


def everything() -> list[PictureMatches]:
    """A picture for each hostile string, and one with each kind, state and disposition."""
    hostile = [
        picture(
            b"/pics/" + text.encode("utf-8", "surrogateescape" if "\ud800" not in text else "replace")
            .replace(b"\0", b"").replace(b"/", b"")[:200],
            match(f"{text}{number}", MatchKind.PARTIAL, text, f"{text}2", domain=text),
            sha256=f"{number:064x}",
        )
        for number, text in enumerate(HOSTILE)
    ]  # fmt: skip
    every = [
        match(f"http://a.example/{kind}/{state}/{disposition}", kind, state=state,
              disposition=disposition)
        for kind in MatchKind for state in MatchState for disposition in Disposition
    ]  # fmt: skip
    return [*hostile, picture(b"/pics/\xe9.jpg", *every)]


def digest_of(pictures: Sequence[PictureMatches]) -> MatchSummary:
    """A digest whose domains and images are these pictures'."""
    images = tuple(
        picture_summary(one.path, 1, 1, len(one.matches), sha256=one.sha256, worklist=number)
        for number, one in enumerate(pictures)
    )
    domains = tuple(
        domain_count(one.matches[0].domain, 1, 1, 0, worklist=number)
        for number, one in enumerate(pictures)
    )
    return MatchSummary(matches=totals(pictures), domains=domains, images=images)
