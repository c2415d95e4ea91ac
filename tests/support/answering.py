"""A service that answers whatever it is told to, and counts what it is asked."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.support.processes import Process, all_lines, reports
from tests.support.servers import serving

Say = Callable[[str, str], bytes]  # the picture's file name without its extension, the scan id

GZIP = b"\x1f\x8b"  # what a body begins with that is sent as a packed one
# A `batchscan` that knows another name for an address.
LATER = """
import sys
from batchscan.copyleaks import responses as answers
from batchscan.engines import vendor_mapping as ours
from batchscan.runs import unread_answers as reread; from batchscan.pipeline import settlement as settle

reread.READER = settle.READER = answers.READER + 1
read = ours.read_check
ours.read_check = lambda body, scan_id=None: read(body.replace(b"imageUrl", b"url"), scan_id)
from batchscan.cli import main

sys.exit(main(sys.argv[1:]))
"""


def said(scan_id: str, *entries: Any, total: int | None = None, **more: Any) -> bytes:
    """An answer that lists these entries, and counts so many."""
    kinds = [entry.get("matchType") if isinstance(entry, dict) else None for entry in entries]
    score = {
        "totalMatches": len(entries) if total is None else total,
        "fullMatches": kinds.count(0),
        "partialMatches": kinds.count(1),
    }
    image = {"scanId": scan_id, "actualCredits": 1, "expectedCredits": 1}
    matches = {"internet": list(entries), "score": score}
    return json.dumps({"scannedImage": image, "matches": matches} | more).encode()


def match(number: int, kind: int = 0, *pages: str) -> dict[str, Any]:
    """An entry as documented."""
    url = f"https://site{number}.example.com/{number}.jpg"
    return {"url": url, "matchType": kind, "webPages": [{"url": page} for page in pages]}


@dataclass
class Service:
    """The service, and a place to run `batchscan` against it."""

    folder: Path
    say: Say
    url: str = ""
    asked: list[str] = field(default_factory=list)  # scan ids, in the order of asking

    @property
    def emulator(self) -> Service:
        return self

    @property
    def images(self) -> Path:
        return self.folder / "images"

    def paid(self) -> Counter[str]:
        """How often each scan id was answered, and paid for."""
        return Counter(self.asked)

    def last_lines(self) -> dict[str, Any]:
        """The last run's lines by file name."""
        last = reports(self)[-1]["run"]["id"]
        return {Path(line.path).name: line for line in all_lines(self) if line.run_id == last}

    async def run(self, *words: str, forks: bool = True, **how: Any) -> tuple[int, str, str]:
        return await Process(self, forks=forks).run("--rate", "1000/s", *words, **how)

    async def answer(self, request: web.Request) -> web.Response:
        sent = await request.read()
        if request.path.endswith("/login/api"):
            return web.json_response({"access_token": "token"})
        if request.path.endswith("/credits"):
            return web.json_response({"Amount": 1000})
        found = re.search(r"/([^/]+)/check$", request.path)
        scan_id = found[1] if found else ""
        self.asked.append(scan_id)
        name = re.search(rb'filename="([^"]+)\.png"', sent)
        body = self.say(name[1].decode() if name else "", scan_id)
        packed = {"Content-Encoding": "gzip"} if body.startswith(GZIP) else {}
        return web.Response(body=body, content_type="application/json", headers=packed)


@asynccontextmanager
async def answering(folder: Path, say: Say) -> AsyncIterator[Service]:
    """Serve on loopback."""
    service = Service(folder, say)
    service.images.mkdir(exist_ok=True)
    async with serving(web.route("*", "/{any:.*}", service.answer)) as url:
        service.url = url
        yield service
