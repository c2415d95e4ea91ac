"""The image plagiarism check: scan ids, search, credits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from batchscan.emulator import bodies
from batchscan.emulator.account import EmulatedAccount
from batchscan.emulator.bodies import HttpReply, VendorMatch
from batchscan.emulator.config import EmulatorConfig
from batchscan.emulator.journal import RequestRecord
from batchscan.emulator.uploads import SCAN_ID, BadUpload, UploadForm, measure
from batchscan.images.kinds import ImageFormat
from batchscan.images.rules import Size

Search = Callable[[UploadForm, ImageFormat], Awaitable[Sequence[VendorMatch]]]
"""Finds a picture; raises BadUpload where it cannot be decoded."""

# What sandbox answers hold is not documented; the addresses lead nowhere (RFC 2606).
_MOCK = (
    VendorMatch("https://sandbox.example/full.jpg", 0, ("https://sandbox.example/page",)),
    VendorMatch("https://sandbox.example/partial.jpg", 1, ()),
)


@dataclass(slots=True)
class _Scan:
    """A used scan id; its lock serializes requests with that id."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    answer: bytes | None = None  # the first one's, once it is paid for


class Checks:
    """Answers checks; scan ids of the sandbox and real ones are separate."""

    def __init__(self, config: EmulatorConfig, account: EmulatedAccount, search: Search) -> None:
        self._config = config
        self._account = account
        self._search = search
        self._scans: dict[tuple[bool, str], _Scan] = {}

    async def answer(self, visit: RequestRecord, upload: UploadForm) -> HttpReply:
        """Answer a check, and charge for it."""
        if visit.scan_id is None or not SCAN_ID.fullmatch(visit.scan_id):
            return bodies.error(400, 1, "The scanId is not valid.")
        try:
            kind, size = measure(upload, self._config.max_bytes, self._config.max_pixels)
        except BadUpload as refused:
            return refused.reply
        scan = self._scans.setdefault((upload.sandbox, visit.scan_id), _Scan())
        async with scan.lock:
            used = self._used(scan)
            if used is not None:
                return used
            return await self._scan(visit, upload, kind, size)

    def _used(self, scan: _Scan) -> HttpReply | None:
        """The response for a scan id that has an answer; None if it is scanned (again)."""
        if scan.answer is None or self._config.duplicate == "rescan":
            return None
        if self._config.duplicate == "replay":
            return HttpReply(200, scan.answer)
        return bodies.error(409, None, "A scan with the same Id already exists in the system.")

    async def _scan(
        self, visit: RequestRecord, upload: UploadForm, kind: ImageFormat, size: Size
    ) -> HttpReply:
        if self._config.latency:
            await asyncio.sleep(self._config.latency)
        try:
            matches = _MOCK if upload.sandbox else await self._search(upload, kind)
        except BadUpload as refused:
            return refused.reply
        # From here to the end nothing waits: what is charged has its answer kept
        if not upload.sandbox:
            price = self._account.charge()
            if isinstance(price, HttpReply):
                return price
            visit.charged = price
        image = {
            "scanId": visit.scan_id,
            "expectedCredits": visit.charged,
            "actualCredits": visit.charged,
            "creationTime": bodies.creation_time(self._config.wall_clock()),
            "width": size.width,
            "height": size.height,
            "filename": upload.file_name,
        }
        answer = msgspec.json.encode(bodies.check(image, upload.payload, matches))
        self._scans[upload.sandbox, str(visit.scan_id)].answer = answer
        return HttpReply(200, answer)
