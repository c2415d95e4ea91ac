"""Amazon S3 and compatible services (`AWS_ENDPOINT_URL`), through s3fs' client.

s3fs keeps the listing of a prefix in memory, and drops slashes from paths; so pages and keys are
those of its client.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from functools import partial
from typing import Any

from batchscan.model import Stat
from batchscan.stores.fsspec_support import CLOSING, UNCACHED, as_os_errors, filesystem, library
from batchscan.stores.interface import Item, hold_to, state

CONNECTIONS = 32
BROKEN_OFF = 3  # times that a body is asked for, when it does not come whole


class S3Store:
    """One bucket."""

    def __init__(self, bucket: str) -> None:
        """Open a bucket; sends nothing yet.

        Raises:
            UsageError: s3fs is not installed.
        """
        self._bucket = bucket
        options = {
            "config_kwargs": {"max_pool_connections": CONNECTIONS},
            "session": _session(),
            **UNCACHED,
        }
        self._fs = filesystem("s3fs", "s3", "S3FileSystem", **options)
        # The client tries again by itself (AWS_MAX_ATTEMPTS): both would wait for many minutes.
        self._fs.retries = 1
        self._sync = library("fsspec.asyn", "s3").sync
        self._trying = library("s3fs.core", "s3")._error_wrapper

    def list(self, folder: str) -> Iterator[Item]:
        """List what is directly below a prefix, ordered by the bytes of the key, page by page."""
        start = len(folder)
        more: dict[str, str] = {}
        while True:
            page = self._call("list_objects_v2", Prefix=folder, Delimiter="/", **more)
            for item in page.get("CommonPrefixes", ()):
                yield item["Prefix"][start:-1]
            for item in page.get("Contents", ()):
                yield item["Key"][start:], *_state(item, item["Size"])
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def stat(self, key: str) -> Stat:
        """The state of one object."""
        head = self._call("head_object", Key=key)
        return _state(head, head["ContentLength"])

    def read(self, key: str, limit: int, expected: Stat | None = None, start: int = 0) -> bytes:
        """Read bytes of an object with one GET, whose headers are checked before its body is read.

        Raises:
            Changed: its state is not the expected one.
        """
        complete = expected is not None and start == 0 and limit > expected.size
        only = {} if complete else {"Range": f"bytes={start}-{start + limit - 1}"}
        words = (key, limit, expected, only)
        with as_os_errors():
            get = partial(self._trying, self._get, args=words, retries=BROKEN_OFF)
            data: bytes = self._sync(self._fs.loop, get)
            return data

    async def _get(
        self, key: str, limit: int, expected: Stat | None, only: dict[str, str]
    ) -> bytes:
        answer = await self._fs._call_s3("get_object", Bucket=self._bucket, Key=key, **only)
        with closing(answer["Body"]) as body:
            hold_to(expected, _state(answer, _whole_size(answer)))
            data = bytearray()
            while len(data) < limit and (part := await body.read(limit - len(data))):
                data += part
            return bytes(data)

    def close(self) -> None:
        """Close the connections."""
        if (client := self._fs._s3) is not None:  # s3fs closes it only when it is collected
            self._sync(self._fs.loop, client.__aexit__, None, None, None, timeout=CLOSING)

    def _call(self, method: str, **words: str) -> dict[str, Any]:
        with as_os_errors():
            answer: dict[str, Any] = self._fs.call_s3(method, Bucket=self._bucket, **words)
            return answer


def _session() -> Any:
    """AWS' own session with a faster parser of times, which took two thirds of a listing's CPU."""
    session = library("aiobotocore.session", "s3").AioSession()
    usual = library("botocore.utils", "s3").parse_timestamp

    def moment(value: Any) -> Any:
        try:
            return datetime.fromisoformat(value)
        except (TypeError, ValueError):  # a header's, or seconds
            return usual(value)

    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=moment)
    return session


def _whole_size(answer: dict[str, Any]) -> int:
    """The size of an object in bytes, by a response with all or a part of it."""
    total = str(answer.get("ContentRange", "")).rpartition("/")[2]
    return int(total) if total.isdecimal() else int(answer["ContentLength"])


def _state(item: dict[str, Any], size: int) -> Stat:
    return state(size, item.get("LastModified"), item.get("ETag", ""))
