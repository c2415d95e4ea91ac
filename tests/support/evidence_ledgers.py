"""Ledgers with answers in them, and packs made of those."""

from __future__ import annotations

import hashlib
import itertools
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from batchscan.allow import AllowRules
from batchscan.enums import MatchKind
from batchscan.evidence.manifest import PackRequest
from batchscan.evidence.pack import Packed, PackInputs, pack
from batchscan.evidence.select import select_pictures
from batchscan.ledger import Ledger, Realm
from batchscan.model import Answer, Image, Match, Stat
from batchscan.util.urls import registrable_domain
from tests.support.settling import settle

REALM = Realm("https://api.example.com", sandbox=False)
NOW = 1_795_456_957.25
_scans = itertools.count(1)


def image(path: str, content: bytes = b"content", form: str = "png") -> Image:
    digest = hashlib.sha256(content).hexdigest()
    stat = Stat(len(content), 1, 1)
    return Image(path, stat, content, digest, form, 8, 6, "image/png", "a.png")


def answer(*urls: str, at: float = NOW - 1000, body: bytes | None = None) -> Answer:
    matches = tuple(
        Match(url, MatchKind.FULL, (f"{url}/page",), registrable_domain(url)) for url in urls
    )
    said = json.dumps({"matches": {"internet": urls}}).encode() if body is None else body
    return Answer(said, at, 1, 1, None, matches)


def answered(ledger: Ledger, picture: Image, said: Answer, *, run: str = "run-1") -> int:
    """Enter a picture's next answer; gives the picture's number."""
    generation = ledger.known.lookup(picture.sha256).generation + 1
    if ledger.runs.closed(run) is None:
        ledger.runs.begin(run, "/out", said.received_at, b"{}")
        ledger.runs.close(run, f'{{"run": "{run}"}}\n'.encode())
    claim = ledger.claims.open(picture, generation, run, said.received_at - 1)
    settle(ledger, claim, said, run)
    return claim.picture_id


def packed(
    ledger: Ledger,
    path: Path,
    *,
    domains: Sequence[str] = (),
    images: Sequence[str] = (),
    rules: AllowRules | None = None,
) -> Packed:
    """Pack what these ask for."""
    request = PackInputs(PackRequest(list(domains), list(images)), rules or AllowRules(), NOW)
    return pack(ledger, select_pictures(ledger, domains, images), request, str(path))


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as opened:
        return {info.filename: opened.read(info) for info in opened.infolist()}


def records(path: Path) -> list[dict[str, Any]]:
    """What a pack says of each of its pictures."""
    return [json.loads(data) for name, data in members(path).items() if name[:9] == "pictures/"]


def rezipped(path: Path, files: dict[str, bytes]) -> Path:
    """Write a zip of these files in the place of another."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in files.items():
            opened.writestr(name, data)
    return path
