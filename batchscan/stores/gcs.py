"""Google Cloud Storage, through gcsfs' session.

gcsfs keeps the listing of a prefix in memory; so the pages are requested one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from batchscan.model import Stat
from batchscan.stores.fsspec_support import CLOSING, UNCACHED, as_os_errors, filesystem, library
from batchscan.stores.interface import Item, hold_to, state

TIMEOUT = 30  # seconds that one request may take; gcsfs tries again by itself
_FIELDS = "nextPageToken,prefixes,items(name,size,updated,generation)"


class GcsStore:
    """One bucket."""

    def __init__(self, bucket: str) -> None:
        """Open a bucket; looks for credentials.

        Raises:
            UsageError: gcsfs is not installed.
            OSError: there are no credentials.
        """
        self._bucket = quote(bucket, safe="")
        with as_os_errors():
            options = {"requests_timeout": TIMEOUT, **UNCACHED}
            self._fs = filesystem("gcsfs", "gcs", "GCSFileSystem", **options)
        self._sync = library("fsspec.asyn", "gcs").sync

    def list(self, folder: str) -> Iterator[Item]:
        """List what is directly below a prefix, ordered by the bytes of the name, page by page."""
        start = len(folder)
        more: dict[str, str] = {}
        while True:
            page = self._get_json("", prefix=folder, delimiter="/", fields=_FIELDS, **more)
            for name in page.get("prefixes", ()):
                yield name[start:-1]
            for item in page.get("items", ()):
                yield item["name"][start:], *_state(item)
            if not page.get("nextPageToken"):
                return
            more = {"pageToken": page["nextPageToken"]}

    def stat(self, key: str) -> Stat:
        """The state of one object."""
        return _state(self._get_json(f"/{quote(key, safe='')}"))

    def read(self, key: str, limit: int, expected: Stat | None = None, start: int = 0) -> bytes:
        """Read bytes of an object with one GET.

        Raises:
            Changed: its state is not the expected one.
        """
        address = self._address("download/storage/v1", f"/{quote(key, safe='')}?alt=media")
        with as_os_errors():
            part = {"Range": f"bytes={start}-{start + limit - 1}"}
            headers, data = self._fs.call("GET", address, headers=part)
        hold_to(expected, _state_of_answer(headers, len(data)))
        return bytes(data)

    def close(self) -> None:
        """Close the connections."""
        if (session := self._fs._session) is not None:
            self._sync(self._fs.loop, session.close, timeout=CLOSING)

    def _get_json(self, rest: str, **words: str) -> dict[str, Any]:
        with as_os_errors():
            address = self._address("storage/v1", rest)
            answer: dict[str, Any] = self._fs.call("GET", address, json_out=True, **words)
            return answer

    def _address(self, service: str, rest: str) -> str:
        return f"{self._fs._location}/{service}/b/{self._bucket}/o{rest}"


def _state(item: Mapping[str, Any]) -> Stat:
    modified = datetime.fromisoformat(item["updated"]) if "updated" in item else None
    return state(int(item.get("size", 0)), modified, str(item.get("generation", "")))


def _state_of_answer(headers: Mapping[str, str], size: int) -> Stat:
    """The state of an object by the headers of a GET."""
    total = headers.get("Content-Range", "").rpartition("/")[2]
    modified = headers.get("Last-Modified")
    return state(
        int(total) if total.isdecimal() else size,
        parsedate_to_datetime(modified) if modified else None,
        headers.get("x-goog-generation", ""),
    )
