"""A ledger with matches of real pictures, and its review page asked over a socket."""

from __future__ import annotations

import asyncio
import hashlib
import html
import os
import re
import zlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from batchscan.enums import MatchKind
from batchscan.ledger import Ledger, Realm
from batchscan.model import Answer, Image, Match, Score, Stat
from batchscan.review.server import ReviewServer
from batchscan.settings import Api
from batchscan.settings.load import LoadedSettings, load
from batchscan.util.urls import registrable_domain
from tests.support.pictures import jpeg
from tests.support.settling import settle

AT = 1_795_456_957.0  # 2026-11-23 18:02 UTC
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
_SEEN = re.compile(r'name="at" value="([^"]*)"')
_PICKS = re.compile(r'name="pick" value="([^"]*)"')
_LEFT = re.compile(r'id="left"><b>([\d,]+)</b> of ([\d,]+) (\w+)')


def found(url: str, *pages: str, kind: MatchKind = MatchKind.FULL) -> Match:
    return Match(url, kind, pages, registrable_domain(url))


def fill(
    folder: Path, pictures: Mapping[Any, Sequence[Match]], *, run: str = "r1", at: float = AT
) -> None:
    """Let a scan have asked about pictures, each a JPEG of its own, and been answered."""
    state = folder / "state"
    state.mkdir(mode=0o700, exist_ok=True)
    ledger = Ledger.open(state, Realm(Api().url, sandbox=False))
    with ledger.transaction():
        ledger.runs.begin(run, "/out/runs/" + run, at, b'{"roots": ["/pics"]}')
        for name, matches in pictures.items():
            number = zlib.crc32(os.fsencode(name))  # each name has a picture of its own
            path = os.path.join(os.fsencode(folder / "pics"), os.fsencode(name))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            data = jpeg(160, 120, number)
            Path(os.fsdecode(path)).write_bytes(data)
            there = os.stat(path)
            stat = Stat(there.st_size, there.st_mtime_ns, there.st_ctime_ns)
            image = Image(
                os.fsdecode(path), stat, data, hashlib.sha256(data).hexdigest(),
                "jpeg", 160, 120, "image/jpeg", "a.jpg",
            )  # fmt: skip
            generation = ledger.known.lookup(image.sha256).generation + 1
            claim = ledger.claims.open(image, generation, run, at)
            count = len(matches)
            answer = Answer(b"{}", at, 1, 1, Score(count, count, 0), tuple(matches))
            settle(ledger, claim, answer, run)
            ledger.files.upsert(image.path, stat, picture_id=claim.picture_id)
            ledger.previews.put(claim.picture_id, jpeg(96, 72, number), b"{}")
        ledger.runs.close(run, b"{}")
    ledger.close()


SITES = ("one.com", "two.co.uk", "three.org")


def usual(folder: Path) -> None:
    """Two pictures: five matches on one site, two on another, one on a third."""
    first = [found(f"https://cdn.one.com/{n}.jpg", f"https://one.com/page/{n}") for n in range(3)]
    second = [
        *(found(f"https://one.com/b{n}.jpg", kind=MatchKind.PARTIAL) for n in range(2)),
        found("https://two.co.uk/x.jpg"),
        found("https://two.co.uk/y.jpg"),
        found("https://three.org/z.jpg", kind=MatchKind.PARTIAL),
    ]
    fill(folder, {"2024/harbour.jpg": first, "2019/bridge.jpg": second})


def loaded(folder: Path) -> LoadedSettings:
    """The settings of a folder, with its own file of allow rules."""
    config = folder / "config.yaml"
    config.touch()
    flags = {"config": str(config), "output.state": str(folder / "state")}
    return load(flags, {}, credentials=False)


@dataclass
class Reader:
    """Somebody with a browser who has opened the page."""

    session: aiohttp.ClientSession
    base: URL
    query: str = ""
    page: str = ""
    undos: list[str] = field(default_factory=list)

    async def get(self, path: str, status: int = 200) -> str:
        async with self.session.get(self.base.join(URL(path))) as answer:
            text = await answer.text()
            assert answer.status == status, text
            return text

    async def show(self, query: str = "") -> Reader:
        """Open the queue."""
        self.query = query
        self.page = await self.get(f"/queue?{query}")
        return self

    async def post(self, path: str, status: int = 200, **fields: str | Sequence[str]) -> str:
        pairs = [
            (name, value)
            for name, values in fields.items()
            for value in ([values] if isinstance(values, str) else values)
        ]
        async with self.session.post(
            self.base.join(URL(path)), data=pairs, headers=SAME_ORIGIN
        ) as answer:
            text = await answer.text()
            assert answer.status == status, text
            return text

    async def decide(self, word: str, **fields: str | Sequence[str]) -> Reader:
        """Press a button at what is shown."""
        given = {"word": word, "at": self.seen, "part": "1", **fields}
        self.page = await self.post(f"/decide?{self.query}", 200, **given)
        return self

    async def undo(self) -> Reader:
        self.page = await self.post(f"/undo?{self.query}", what=self.attribute("undo"), part="1")
        return self

    @property
    def seen(self) -> str:
        """The match that is shown, as its form names it."""
        shown = _SEEN.search(self.page)
        return shown[1] if shown else ""

    @property
    def picks(self) -> list[str]:
        return _PICKS.findall(self.page)

    @property
    def left(self) -> tuple[int, int]:
        shown = _LEFT.search(self.page)
        assert shown, self.page
        return int(shown[1].replace(",", "")), int(shown[2].replace(",", ""))

    @property
    def url(self) -> str:
        """The address of the match that is shown."""
        shown = re.search(r'id="match-title".*?<a href="([^"]*)"', self.page, re.DOTALL)
        return html.unescape(shown[1]) if shown else ""

    def attribute(self, name: str) -> str:
        shown = re.search(rf'data-{name}="([^"]*)"', self.page)
        return html.unescape(shown[1]) if shown else ""


async def ended(reader: Reader, domain: str) -> str:
    """The page of a site when what was begun there has ended."""
    await begun_until(reader, domain, lambda said: "data-running" not in said)
    return await reader.get(f"/site?site={domain}")


async def begun_until(reader: Reader, domain: str, wanted: Callable[[str], bool]) -> None:
    """Wait until the page of a site says something of what was begun there."""
    async with asyncio.timeout(60):
        while not wanted(await reader.get(f"/site/job?site={domain}")):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[ReviewServer]:
    async with ReviewServer(loaded(folder)) as server:
        yield server


@asynccontextmanager
async def reading(server: ReviewServer | str) -> AsyncIterator[Reader]:
    """Open the page of a server, or at an address, as a browser does: first with the token, then with the cookie."""
    jar = aiohttp.CookieJar(unsafe=True)  # also for addresses without a name
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        url = URL(server if isinstance(server, str) else server.url)
        async with session.get(url) as answer:
            assert answer.status == 200
        yield Reader(session, url.with_query(None))
