"""Writing WARC/1.1 files (ISO 28500:2017) with requests and responses as transferred.

Each record is a gzip member of its own, so that it can be read without the others. Only transfer
coding was removed from bodies; its header is kept as `X-Archive-Orig-Transfer-Encoding`, as web
archives do.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any, Final
from urllib.parse import quote

import yarl
from warcio.statusandheaders import StatusAndHeaders
from warcio.utils import Digester
from warcio.warcwriter import WARCWriter

from batchscan.util.timestamps import rfc3339
from batchscan.web_client import Failure, Hop

VERSION: Final = "WARC/1.1"
_UNDONE: Final = b"transfer-encoding"
_MAX_URL: Final = 8_192  # characters


class WarcFile:
    """Writes records into an open file; each method returns the position of its record.

    Args:
        file: positioned at its start.
        name: of the file, for its first record.
        about: what made it and when, for the same.
        at: the same time, in seconds since 1970.
    """

    def __init__(self, file: IO[bytes], name: str, about: Mapping[str, str], at: float) -> None:
        self._file = file
        self._writer = _Writer(file, gzip=True, warc_version=VERSION)
        text = _fields(about)
        first = self._record("", "warcinfo", "application/warc-fields", text, at)
        first.rec_headers.add_header("WARC-Filename", name)
        self._writer.write_record(first)

    def add_hop(self, hop: Hop) -> int:
        """Write a response and the request for it."""
        extra = {"WARC-IP-Address": hop.ip} if hop.ip else {}
        cut = {} if hop.complete else {"WARC-Truncated": "length"}
        response = self._http(hop, "response", _response_head(hop), hop.body, extra | cut)
        identity = response.rec_headers.get_header("WARC-Record-ID")
        together = extra | {"WARC-Concurrent-To": identity}
        request = self._http(hop, "request", _request_head(hop), b"", together)
        position = self._file.tell()
        self._writer.write_record(response)
        self._writer.write_record(request)
        return position

    def add_failure(self, failure: Failure, at: float) -> int:
        """Write that an address could not be fetched, and why."""
        text = _fields({"failure": failure.kind.value, "detail": failure.detail})
        return self._add(self._record(failure.url, "metadata", "application/warc-fields", text, at))

    def add_resource(self, url: str, media_type: str, data: bytes, at: float) -> int:
        """Write something that was made from an address, and not transferred: a screenshot."""
        return self._add(self._record(url, "resource", media_type, data, at))

    def _add(self, record: Any) -> int:  # noqa: ANN401 - warcio has no types
        position = self._file.tell()
        self._writer.write_record(record)
        return position

    def _record(self, url: str, kind: str, media_type: str, data: bytes, at: float) -> Any:  # noqa: ANN401 - the same
        return self._writer.create_warc_record(
            _one_line(url),
            kind,
            payload=BytesIO(data),
            length=len(data),
            warc_content_type=media_type,
            warc_headers_dict={"WARC-Date": rfc3339(at)},
        )

    def _http(self, hop: Hop, kind: str, head: bytes, body: bytes, extra: Mapping[str, str]) -> Any:  # noqa: ANN401 - the same
        return self._writer.create_warc_record(
            _one_line(hop.url),
            kind,
            payload=BytesIO(body),
            length=len(body),
            http_headers=_Head(head),
            warc_headers_dict={"WARC-Date": rfc3339(hop.at), **extra},
        )


class _Writer(WARCWriter):  # type: ignore[misc]  # it has no types
    """A writer that uses SHA-256 instead of SHA-1."""

    @staticmethod
    def _create_digester() -> Any:  # noqa: ANN401 - the same
        return Digester("sha256")


class _Head(StatusAndHeaders):  # type: ignore[misc]  # the same
    """The verbatim head of an HTTP message: warcio would re-encode bytes that are not ASCII."""

    def __init__(self, raw: bytes) -> None:
        super().__init__("HTTP", [])
        self._raw = raw

    def compute_headers_buffer(self, header_filter: object = None) -> None:  # noqa: ARG002
        """Give the head as it is."""
        self.headers_buff = self._raw


def _response_head(hop: Hop) -> bytes:
    reason = hop.reason.encode("utf-8", "surrogateescape")
    lines = [b"HTTP/%s %d %s" % (hop.version.encode(), hop.status, reason)]
    lines += [b"%s: %s" % (_archived(name), value) for name, value in hop.headers]
    return _head(lines)


def _request_head(hop: Hop) -> bytes:
    target = yarl.URL(hop.url, encoded=True).raw_path_qs or "/"
    lines = [f"GET {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in hop.request_headers]
    return _head([line.encode("utf-8", "surrogateescape") for line in lines])


def _head(lines: list[bytes]) -> bytes:
    return b"".join(line.translate(_SPACES) + b"\r\n" for line in lines) + b"\r\n"


_SPACES: Final = bytes(32 if char in b"\r\n\0" else char for char in range(256))


def _archived(name: bytes) -> bytes:
    return b"X-Archive-Orig-" + name if name.lower() == _UNDONE else name


def _one_line(url: str) -> str:
    """An untrusted address without line breaks."""
    plain = (
        char if char.isprintable() and char != " " else quote(char, errors="replace")
        for char in url
    )
    return "".join(plain)[:_MAX_URL]


def _fields(fields: Mapping[str, str]) -> bytes:
    lines = (f"{name}: {' '.join(value.split())}\r\n" for name, value in fields.items())
    return "".join(lines).encode("utf-8", "replace")
