"""Ledgers with matches on a web that tests change, and rechecks of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batchscan.commands.recheck import RecheckRequest, RecheckResult, recheck_from_terminal
from batchscan.enums import Disposition, MatchKind
from batchscan.images.decoding.pool import Decoders
from batchscan.ledger import FILE_NAME, Ledger, Realm
from batchscan.model import Answer, Match, Score
from batchscan.settings import Api, Output, Settings
from batchscan.settings import Recheck as RecheckSettings
from batchscan.util.urls import registrable_domain
from tests.support.clocks import FakeClock
from tests.support.inside import connection_of
from tests.support.ledgers import image
from tests.support.servers import head_of, scripted
from tests.support.settling import settle
from tests.support.web_sites import NOT_THERE

DAY = 86_400.0
START = 1_800_000_000.0  # what the clock says first


@dataclass
class Copy:
    """A match that the ledger knows."""

    url: str
    pages: tuple[str, ...] = ()
    path: str = "/p/one.jpg"
    disposition: Disposition = Disposition.NOTICED


@dataclass
class CopiesWeb:
    """A state folder, and a web in which each address answers what stands in a table."""

    state: Path
    copies: Sequence[Copy]
    answers: dict[str, bytes] = field(default_factory=dict)  # by URL without the scheme
    asked: list[str] = field(default_factory=list)
    clock: FakeClock = field(default_factory=lambda: FakeClock(START))
    decoders: Decoders | None = None
    on_request: Callable[[str], object] = lambda url: None

    def __post_init__(self) -> None:
        if not (self.state / FILE_NAME).exists():
            self.state.mkdir(mode=0o700, exist_ok=True)
            self.answered(START - 100, generation=1)
            self._decide()

    def open(self) -> Ledger:
        return Ledger.open(self.state, Realm(Api().url, sandbox=False))

    def answered(self, at: float, *, generation: int, run: str = "r1") -> None:
        """Have the service name all copies (once more)."""
        ledger = self.open()
        with ledger.transaction():
            for path in dict.fromkeys(copy.path for copy in self.copies):
                matches = tuple(
                    Match(copy.url, MatchKind.FULL, copy.pages, registrable_domain(copy.url))
                    for copy in self.copies
                    if copy.path == path
                )
                picture = image(path, path.encode())
                claim = ledger.claims.open(picture, generation, run, at - 1)
                settle(ledger, claim, Answer(b"{}", at, 1, 1, Score(1, 1, 0), matches), run)
                ledger.files.upsert(path, picture.stat, picture_id=claim.picture_id)
        ledger.close()

    def _decide(self) -> None:
        ledger = self.open()
        with ledger.transaction():
            for copy in self.copies:
                connection_of(ledger).execute(
                    "UPDATE sightings SET disposition = ? WHERE url = ?",
                    (copy.disposition.value, copy.url),
                )
        ledger.close()

    def settings(self, **changes) -> Settings:
        return Settings(
            output=Output(state=str(self.state), progress="none"),
            recheck=RecheckSettings(**{"pause": 0.0, "timeout": 3.0, **changes}),
        )

    async def recheck(self, *, days: float = 0.0, settings=None, **request) -> RecheckResult:
        """Ask, some days later than the last time."""
        self.clock.step_wall(days * DAY)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = (await head_of(reader)).decode("latin-1")
            host = head.lower().partition("host: ")[2].partition("\r\n")[0]
            url = host + head.split(" ")[1]
            self.asked.append(url)
            self.on_request(url)
            writer.write(self.answers.get(url, NOT_THERE))
            await writer.drain()

        async with scripted(serve) as base:
            rule = f":80:127.0.0.1:{base.rpartition(':')[2]}"
            wanted = RecheckRequest(connect_to=(rule,), **request)
            settings = settings or self.settings()
            return await recheck_from_terminal(settings, wanted, self.clock, self.decoders)

    def history(self) -> dict[str, Any]:
        """What the ledger says of each match, by its URL."""
        ledger = self.open()
        with ledger.transaction():
            pictures = connection_of(ledger).execute("SELECT id FROM pictures").fetchall()
            found = {
                each.url: each.recheck
                for (number,) in pictures
                for each in ledger.history.matches_of(number).values()
            }
        ledger.close()
        return found

    def dispositions(self) -> dict[str, str]:
        ledger = self.open()
        rows = connection_of(ledger).execute("SELECT url, disposition FROM sightings").fetchall()
        ledger.close()
        return dict(rows)


def verdicts(result: RecheckResult) -> dict[str, str]:
    """By the URL without its scheme: of pictures and pages."""
    found = {}
    for match in result.matches:
        for each in (match.picture, *match.pages):
            found[each.url.partition("://")[2]] = each.verdict.value
    return found
