"""Comparing a pack's facts about captured addresses with the WARC records."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import IO, Any, Final

import msgspec

from batchscan.evidence.manifest import PackedFile
from batchscan.evidence.pack_reader import Damaged, PackReader
from batchscan.web_client.fetch_results import FetchError
from batchscan.web_client.inflate import decode_body

MAX_RECORD: Final = 64_000_000
"""Bytes of the record of one picture."""

_NAME: Final = re.compile(r"pictures/[0-9a-f]{64}\.json")
_MAX_BODY: Final = 32_000_000  # bytes; a screenshot may have 30 MB
_MAX_TOTAL: Final = 1_000_000_000  # bytes of one capture's bodies, together


class ResourceRecord(msgspec.Struct):
    """A captured address in a picture's record."""

    url: str
    http_status: int | None = None
    position: int | None = None
    sha256: str | None = None


class CaptureRecord(msgspec.Struct):
    """A capture in a picture's record."""

    file: str | None
    sha256: str
    resources: list[ResourceRecord] = []


class _Match(msgspec.Struct):
    captures: list[CaptureRecord] = []


class _PackedPicture(msgspec.Struct):
    matches: list[_Match] = []


def capture_records(
    pack: PackReader, files: Sequence[PackedFile]
) -> dict[str, list[CaptureRecord]]:
    """The captures in the records of `pictures/`, by the capture's name in the pack."""
    records: dict[str, list[CaptureRecord]] = {}
    for file in files:
        if _NAME.fullmatch(file.name) is None:
            continue
        for capture in _captures_of(pack, file):
            if capture.file is not None:
                records.setdefault(capture.file, []).append(capture)
    return records


def _captures_of(pack: PackReader, file: PackedFile) -> list[CaptureRecord]:
    """The captures of one picture; none if its record is damaged, which its hash shows."""
    try:
        data = b"".join(pack.read(file.name, MAX_RECORD))
        picture = msgspec.json.decode(data, type=_PackedPicture, strict=True)
    except (Damaged, msgspec.MsgspecError, ValueError, RecursionError):
        return []
    return [capture for match in picture.matches for capture in match.captures]


def disagreements(file: IO[bytes], resources: Sequence[ResourceRecord]) -> Iterator[str]:
    """Differences between the records of a WARC file and what the pack says about them.

    Args:
        file: the WARC file, with valid digests.
        resources: what the pack says.
    """
    left = _MAX_TOTAL
    for resource in resources:
        if resource.sha256 is None or resource.position is None:
            continue
        body, status, raw = _record_at(file, resource.position)
        left -= len(body) + len(raw)
        digests = {hashlib.sha256(data).hexdigest() for data in (body, raw)}
        if left < 0 or resource.sha256 not in digests or resource.http_status != status:
            yield f"it does not contain what pictures/ says about {resource.url[:200]}"


def _record_at(file: IO[bytes], position: int) -> tuple[bytes, int | None, bytes]:
    """A record's body without content coding, its HTTP status, and the body as transferred."""
    from warcio.archiveiterator import ArchiveIterator  # noqa: PLC0415 - most packs hold none
    from warcio.exceptions import ArchiveLoadFailed  # noqa: PLC0415

    try:
        file.seek(position)
        record = next(iter(ArchiveIterator(file)), None)
        if record is None:
            return b"", None, b""
        raw = record.raw_stream.read(_MAX_BODY)
        if record.http_headers is None:
            return raw, None, raw
        status = int(record.http_headers.get_statuscode())
        return _decoded(raw, record.http_headers.headers), status, raw
    except (ArchiveLoadFailed, OSError, EOFError, ValueError, KeyError, OverflowError):
        return b"", None, b""


def _decoded(raw: bytes, headers: Sequence[tuple[str, Any]]) -> bytes:
    codings = ", ".join(str(value) for name, value in headers if name.lower() == "content-encoding")
    try:
        return decode_body(raw, codings, _MAX_BODY)
    except FetchError:
        return raw
