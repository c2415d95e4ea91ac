"""Checking the addresses of one match.

A false "gone" is the typical failure of link checkers, so only 404, 410 and a host name that does
not exist count as gone. Forbidden, failing or slow answers and challenges for people do not count.
"""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from html import unescape
from typing import Final
from urllib.parse import unquote, urlsplit

from batchscan.capture.captured_pictures import compare
from batchscan.enums import RecheckKind, RejectReason
from batchscan.enums import RecheckVerdict as Verdict
from batchscan.images.decoding.pool import Decoders, FingerprintedPicture
from batchscan.images.large import is_convertible
from batchscan.images.rules import RuleViolation
from batchscan.images.signature import HEAD_BYTES, guess, sniff
from batchscan.ledger.recheck_types import MatchToCheck, Observation, Reference, TheirPicture
from batchscan.recheck.pages import Page, Pages
from batchscan.rechecked import ALIKE
from batchscan.web_client import Failure, FailureKind, Fetched, WebClient

_OK: Final = frozenset({200, 203})
_GONE: Final = frozenset({404, 410})
_PICTURES: Final = "image/jpeg, image/png, image/webp, image/gif, image/*;q=0.9, */*;q=0.1"
_PAGES: Final = "text/html, application/xhtml+xml, */*;q=0.1"
_MAX_DETAIL: Final = 300  # characters


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of what is fetched, at most."""

    picture: int = 20_000_000
    page: int = 5_000_000


class Checker:
    """Asks about matches; one may ask about many at once.

    Args:
        client: fetches the addresses.
        decoders: processes in which their pictures are decoded.
        now: returns seconds since 1970.
        sizes: limits for what is fetched.
    """

    def __init__(
        self,
        client: WebClient,
        decoders: Decoders,
        now: Callable[[], float],
        sizes: Sizes | None = None,
    ) -> None:
        self._client = client
        self._decoders = decoders
        self._now = now
        self._sizes = sizes or Sizes()
        self._pages = Pages(self._got_page)

    async def check(
        self, match: MatchToCheck, reference: Reference
    ) -> tuple[list[Observation], TheirPicture | None]:
        """Check a match's picture and its pages; the picture's observation comes first."""
        picture, their = await self._picture(match.url, reference)
        name = _name_in(match.url)
        pages = [await self._page(url, name) for url in match.pages]
        return [picture, *pages], their

    async def _picture(
        self, url: str, reference: Reference
    ) -> tuple[Observation, TheirPicture | None]:
        got = await self._client.get(url, max_bytes=self._sizes.picture, accept=_PICTURES)
        seen = self._answered(RecheckKind.PICTURE, url, got)
        if not isinstance(got, Fetched) or seen.verdict is not Verdict.THERE:
            return seen, None
        return await asyncio.to_thread(self._compare, seen, got.body, reference)

    def _compare(
        self, seen: Observation, body: bytes, reference: Reference
    ) -> tuple[Observation, TheirPicture | None]:
        """Compare the answer with their picture as first fetched; blocking."""
        digest = hashlib.sha256(body).digest()
        same = digest == reference.sha256
        try:
            picture = self._fingerprinted(body)
        except _NoPicture as error:
            verdict = Verdict.THERE if same else error.verdict
            return replace(seen, verdict=verdict, detail=error.detail), None
        first, ours = compare(picture.fingerprint, digest, reference, self._decoders)
        alike = first is None or first >= ALIKE or (ours or 0.0) >= ALIKE
        detail = None if alike else "another picture is there"
        observation = replace(
            seen,
            verdict=Verdict.THERE if alike else Verdict.CHANGED,
            detail=detail,
            likeness=first,
            our_likeness=ours,
        )
        return observation, TheirPicture(digest, picture.fingerprint, picture.preview)

    def _fingerprinted(self, body: bytes) -> FingerprintedPicture:
        kind = sniff(body[:HEAD_BYTES])
        if kind is None:
            raise _NoPicture(Verdict.CHANGED, _instead(body))
        if not is_convertible(kind):
            raise _NoPicture(Verdict.UNKNOWN, f"it is {kind.label}, which cannot be decoded here")
        try:
            return self._decoders.fingerprint(kind, body)
        except RuleViolation as error:
            broken = error.reason is RejectReason.CORRUPT
            raise _NoPicture(
                Verdict.CHANGED if broken else Verdict.UNKNOWN, error.detail
            ) from error

    async def _page(self, url: str, picture: str) -> Observation:
        page = await self._pages.get(url)
        if page.packed is None or not picture:
            return page.seen
        names = await asyncio.to_thread(_names, page.packed, picture)
        return replace(page.seen, names_picture=names)

    async def _got_page(self, url: str) -> Page:
        got = await self._client.get(url, max_bytes=self._sizes.page, accept=_PAGES)
        seen = self._answered(RecheckKind.PAGE, url, got)
        if not isinstance(got, Fetched) or seen.verdict is not Verdict.THERE:
            return Page(seen)
        return Page(seen, await asyncio.to_thread(zlib.compress, got.body, 1))

    def _answered(self, kind: RecheckKind, url: str, got: Fetched | Failure) -> Observation:
        """The observation from status and headers, without the content."""
        verdict, detail = _verdict_of(got)
        shortened = None if detail is None else detail[:_MAX_DETAIL]
        return Observation(kind, url, verdict, got.status, shortened, self._now())


def _verdict_of(got: Fetched | Failure) -> tuple[Verdict, str | None]:
    match got:
        case Fetched(status=status) if status in _OK:
            return Verdict.THERE, None
        case Fetched(status=status):
            verdict = Verdict.GONE_ONCE if status in _GONE else Verdict.UNKNOWN
            return verdict, f"HTTP {status}"
        case Failure(kind=FailureKind.NO_SUCH_NAME, detail=detail):
            return Verdict.GONE_ONCE, detail
        case Failure(detail=detail):
            return Verdict.UNKNOWN, detail


class _NoPicture(Exception):
    """The answer is not a picture that can be compared."""

    def __init__(self, verdict: Verdict, detail: str) -> None:
        super().__init__(detail)
        self.verdict = verdict
        self.detail = detail[:_MAX_DETAIL]


def _instead(body: bytes) -> str:
    """What is there instead of a picture, in words."""
    if not body:
        return "there is no picture: the answer is empty"
    what = guess(body[:HEAD_BYTES])
    return (
        f"there is no picture but {what.partition(':')[0]}"
        if what
        else "what is there is no picture"
    )


def _name_in(url: str) -> str:
    """The file name in a picture's address, by which a page refers to it; "" without one."""
    try:
        return unquote(urlsplit(url).path.rpartition("/")[2])
    except ValueError:
        return ""


def _names(packed: bytes, picture: str) -> bool:
    """Whether a page's text contains a picture's file name, in any encoding."""
    text = unescape(zlib.decompress(packed).decode("utf-8", "replace"))
    return picture in text or picture in unquote(text)
