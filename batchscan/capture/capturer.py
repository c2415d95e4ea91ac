"""Capturing one match: its picture, the pages that show it, and their resources."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from batchscan.capture.capture_files import FOLDER
from batchscan.capture.captured_pictures import compare, make_preview
from batchscan.capture.page_resources import resources_of
from batchscan.capture.warc_file import VERSION, WarcFile
from batchscan.enums import CaptureKind
from batchscan.images.decoding.pool import Decoders
from batchscan.ledger.captures import CapturedResource, CaptureFile
from batchscan.ledger.match_choice import ChosenMatch
from batchscan.ledger.recheck_types import Reference
from batchscan.util.atomic_file import create_file, make_folders, storage_errors
from batchscan.util.timestamps import rfc3339
from batchscan.version import user_agent
from batchscan.web_client import Failure, Fetched, WebClient
from batchscan.web_client.client import MAX_PAGE, MAX_PICTURE

MAX_PAGES: Final = 3
"""Pages of one match that are captured."""

MAX_RESOURCE: Final = 5_000_000
"""Bytes of what a page is made of, each."""

_PICTURE: Final = "image/*,*/*;q=0.8"
_PAGE: Final = "text/html,application/xhtml+xml,*/*;q=0.8"
_MEDIA_TYPE: Final = re.compile(r"[!-:<-~]{1,100}")


@dataclass(frozen=True, slots=True)
class Screenshot:
    """A page as a browser showed it."""

    url: str
    png: bytes
    at: float  # seconds since 1970


class Browser(Protocol):
    """Takes screenshots."""

    async def shoot(self, url: str) -> Screenshot | None:
        """A screenshot of a page; None if the browser made none."""
        ...


@dataclass(frozen=True, slots=True)
class _Fetched:
    """The result for one address."""

    kind: CaptureKind
    got: Fetched | Failure
    at: float


@dataclass(frozen=True, slots=True)
class _Capture:
    """The content of one file."""

    match: ChosenMatch
    gathered: list[_Fetched]
    shot: Screenshot | None
    at: float
    reference: Reference


class Capturer:
    """Captures matches, any number at once.

    Args:
        client: fetches the addresses.
        decoders: make thumbnails.
        state: the state folder.
        who: the user's name.
        now: returns seconds since 1970.
        browser: takes screenshots; None for none.
    """

    def __init__(
        self,
        client: WebClient,
        decoders: Decoders,
        state: str,
        who: str,
        now: Callable[[], float],
        *,
        browser: Browser | None = None,
    ) -> None:
        self._client = client
        self._decoders = decoders
        self._folder = os.path.join(state, FOLDER)
        self._who = who
        self._now = now
        self._browser = browser

    def path_of(self, name: str) -> str:
        """The path of a capture file."""
        return os.path.join(self._folder, name)

    async def capture(self, match: ChosenMatch, reference: Reference | None = None) -> CaptureFile:
        """Capture a match into a new file, to be entered into the ledger by the caller.

        Any answer is captured, also a failure.

        Args:
            match: the match.
            reference: to compare its picture with.

        Raises:
            StorageError: the file cannot be written.
        """
        at = self._now()
        gathered = [await self._get(CaptureKind.PICTURE, match.url, MAX_PICTURE, _PICTURE)]
        for page in match.pages[:MAX_PAGES]:  # one after the other: they are mostly one host's
            gathered += [await self._get(CaptureKind.PAGE, page, MAX_PAGE, _PAGE)]
        seen = {match.url, *match.pages}
        for url in await asyncio.to_thread(_resources, gathered, seen):
            gathered += [await self._get(CaptureKind.RESOURCE, url, MAX_RESOURCE, "*/*")]
        shot = await self._shoot(gathered)
        capture = _Capture(match, gathered, shot, at, reference or Reference())
        return await asyncio.to_thread(self._write, capture)

    async def _get(self, kind: CaptureKind, url: str, most: int, accept: str) -> _Fetched:
        got = await self._client.get(url, max_bytes=most, accept=accept)
        return _Fetched(kind, got, self._now())

    async def _shoot(self, gathered: list[_Fetched]) -> Screenshot | None:
        """A screenshot of the first page that answered our own request."""
        page = _first_page(gathered)
        if self._browser is None or page is None:
            return None
        return await self._browser.shoot(page.final.url)

    def _write(self, capture: _Capture) -> CaptureFile:
        match, at, shot = capture.match, capture.at, capture.shot
        name = _name(match, at)
        path = self.path_of(name)
        with storage_errors(self._folder):
            make_folders(self._folder)
        with create_file(path) as file:
            warc = WarcFile(file, name, self._about(match), at)
            resources = [
                self._add(warc, fetched, capture.reference) for fetched in capture.gathered
            ]
            if shot is not None:
                resources.append(self._add_shot(warc, shot))
        size, sha256 = _measured(path)
        return CaptureFile(name, size, sha256, at, self._who, tuple(resources))

    def _about(self, match: ChosenMatch) -> dict[str, str]:
        return {
            "software": user_agent(),
            "format": VERSION,
            "conformsTo": "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
            "robots": "obey",
            "description": f"a copy of the picture with SHA-256 {match.sha256}, found at {match.url}",
        }

    def _add(self, warc: WarcFile, fetched: _Fetched, reference: Reference) -> CapturedResource:
        got = fetched.got
        position = None
        for hop in got.hops:
            position = warc.add_hop(hop)
        if isinstance(got, Failure):
            failed = warc.add_failure(got, fetched.at)
            position = failed if position is None else position
            return CapturedResource(fetched.kind, got.url, got.status, got.detail, position)
        resource = CapturedResource(
            fetched.kind,
            got.url,
            got.status,
            None if got.final.complete else "it was not read to the end",
            position,
            hashlib.sha256(got.body).hexdigest(),
            len(got.body),
            _media_type(got),
        )
        if fetched.kind is CaptureKind.PICTURE and got.status // 100 == 2:  # noqa: PLR2004 - HTTP's
            return self._with_preview(resource, got.body, reference)
        return resource

    def _with_preview(
        self, resource: CapturedResource, body: bytes, reference: Reference
    ) -> CapturedResource:
        preview = make_preview(body, self._decoders)
        if preview is None:
            return resource
        digest = hashlib.sha256(body).digest()
        first, ours = compare(preview.fingerprint, digest, reference, self._decoders)
        return replace(
            resource,
            preview=preview.jpeg,
            fingerprint=preview.fingerprint,
            likeness=first,
            our_likeness=ours,
        )

    def _add_shot(self, warc: WarcFile, shot: Screenshot) -> CapturedResource:
        name = f"urn:batchscan:screenshot:{shot.url}"
        preview = make_preview(shot.png, self._decoders)
        return CapturedResource(
            CaptureKind.SCREENSHOT,
            shot.url,
            None,
            None,
            warc.add_resource(name, "image/png", shot.png, shot.at),
            hashlib.sha256(shot.png).hexdigest(),
            len(shot.png),
            "image/png",
            None if preview is None else preview.jpeg,
        )


def _first_page(gathered: list[_Fetched]) -> Fetched | None:
    for fetched in gathered:
        got = fetched.got
        if fetched.kind is CaptureKind.PAGE and isinstance(got, Fetched) and got.status // 100 == 2:  # noqa: PLR2004 - HTTP's
            return got
    return None


def _resources(gathered: list[_Fetched], seen: set[str]) -> list[str]:
    """The resources of the first page that was found."""
    page = _first_page(gathered)
    if page is None:
        return []
    urls = resources_of(page.body.decode("utf-8", "replace"), page.final.url)
    return [url for url in urls if url not in seen]


def _name(match: ChosenMatch, at: float) -> str:
    """A unique name that sorts by time."""
    when = re.sub(r"[:-]|\.\d+", "", rfc3339(at))
    return f"{when}-{match.sha256[:8]}-{secrets.token_hex(4)}.warc.gz"


def _media_type(got: Fetched) -> str | None:
    content_type = (got.final.header("content-type") or "").partition(";")[0].strip().lower()
    return content_type if _MEDIA_TYPE.fullmatch(content_type) else None


def _measured(path: str) -> tuple[int, str]:
    with open(path, "rb") as file:
        return os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()
