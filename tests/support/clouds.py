"""What Google's and Azure's stores say of a few objects, as far as listing and reading go.

Pages hold two names, so that paging shows.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

WRITTEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PAGE = 2


class Shelf:
    """Objects, and the requests for their bytes."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, int]] = {}
        self.reads: list[str] = []
        self.refuse = 0

    def write(self, key: str, data: bytes) -> None:
        self.objects[key] = data, self.objects.get(key, (b"", 100))[1] + 1

    def page(self, prefix: str, marker: str) -> tuple[list[str], list[str], str]:
        """The folders and the keys of a page, and where the next one begins."""
        found = set()
        for key in self.objects:
            if key.startswith(prefix):
                name, slash, _ = key[len(prefix) :].partition("/")
                found.add(prefix + name + slash)
        names = sorted(each for each in found if each >= marker)
        these, rest = names[:PAGE], names[PAGE:]
        folders = [each for each in these if each.endswith("/") and each not in self.objects]
        return folders, [each for each in these if each not in folders], rest[0] if rest else ""


class Cloud(BaseHTTPRequestHandler):
    """Answers for one store."""

    shelf: Shelf

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        words = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if self.shelf.refuse:
            self.answer(self.shelf.refuse, b"refused by the test")
        else:
            self.serve(parts.path, words)

    def do_POST(self) -> None:
        """Google's login."""
        self.rfile.read(int(self.headers["Content-Length"]))
        token = {"access_token": "token-of-the-store", "expires_in": 3600, "token_type": "Bearer"}
        self.answer(200, json.dumps(token).encode(), Content_Type="application/json")

    do_HEAD = do_GET  # noqa: N815 - http.server's name

    def serve(self, path: str, words: dict[str, str]) -> None:
        raise NotImplementedError

    def answer(self, status: int, data: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def bytes_of(self, key: str, **headers: str) -> None:
        """Answer with the range of an object that was asked for."""
        data = self.shelf.objects[key][0]
        self.shelf.reads.append(key)
        span = self.headers.get("Range") or self.headers.get("x-ms-range") or "bytes=0-"
        first, _, last = span.removeprefix("bytes=").partition("-")
        part = data[int(first) : int(last or len(data)) + 1]
        whole = f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}"
        modified = format_datetime(WRITTEN, usegmt=True)
        self.answer(206, part, Content_Range=whole, Last_Modified=modified, **headers)

    def log_message(self, *words: object) -> None:
        pass


class Google(Cloud):
    """The JSON API of a bucket `pictures`."""

    def serve(self, path: str, words: dict[str, str]) -> None:
        found = re.fullmatch(r"(/download)?/storage/v1/b/([^/]*)/o(?:/(.*))?", path)
        key = unquote(found[3] or "") if found else ""
        if found is None or found[2] != "pictures" or (key and key not in self.shelf.objects):
            self.answer(404, b"{}")
        elif found[1]:
            generation = str(self.shelf.objects[key][1])
            self.bytes_of(key, x_goog_generation=generation)
        else:
            listing = self.facts(key) if key else self.listing(words)
            self.answer(200, json.dumps(listing).encode(), Content_Type="application/json")

    def listing(self, words: dict[str, str]) -> dict[str, object]:
        folders, keys, more = self.shelf.page(words.get("prefix", ""), words.get("pageToken", ""))
        page = {"prefixes": folders, "items": [self.facts(key) for key in keys]}
        return {**page, "nextPageToken": more} if more else dict(page)

    def facts(self, key: str) -> dict[str, str]:
        data, generation = self.shelf.objects[key]
        times = WRITTEN.isoformat().replace("+00:00", ".123Z")
        return {
            "name": key,
            "size": str(len(data)),
            "updated": times,
            "generation": str(generation),
        }


class Azure(Cloud):
    """The XML API of a container `pictures` of the account `me`."""

    def serve(self, path: str, words: dict[str, str]) -> None:
        _, _, container, *rest = unquote(path).split("/", 3)
        key = rest[0] if rest else ""
        if container != "pictures" or (key and key not in self.shelf.objects):
            code = "BlobNotFound" if key else "ContainerNotFound"
            self.answer(404, b"", x_ms_error_code=code)
        elif words.get("comp") == "list":
            self.answer(200, self.listing(words).encode(), Content_Type="application/xml")
        elif self.command == "HEAD":
            data, version = self.shelf.objects[key]
            modified = format_datetime(WRITTEN, usegmt=True)
            headers = {"ETag": f'"0x{version}"', "Last_Modified": modified}
            self.answer(200, b"", Content_Length=str(len(data)), **headers)
        else:
            self.bytes_of(key, ETag=f'"0x{self.shelf.objects[key][1]}"')

    def listing(self, words: dict[str, str]) -> str:
        folders, keys, more = self.shelf.page(words.get("prefix", ""), words.get("marker", ""))
        found = [f"<BlobPrefix><Name>{escape(name)}</Name></BlobPrefix>" for name in folders]
        found += map(self.facts, keys)
        return (
            '<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="pictures">'
            f"<Prefix>{escape(words.get('prefix', ''))}</Prefix><Blobs>{''.join(found)}</Blobs><NextMarker>{escape(more)}</NextMarker>"
            "</EnumerationResults>"
        )

    def facts(self, key: str) -> str:
        data, version = self.shelf.objects[key]
        return (
            f"<Blob><Name>{escape(key)}</Name><Properties>"
            f"<Last-Modified>{format_datetime(WRITTEN, usegmt=True)}</Last-Modified>"
            f"<Etag>0x{version}</Etag><Content-Length>{len(data)}</Content-Length>"
            "<BlobType>BlockBlob</BlobType></Properties></Blob>"
        )


@contextmanager
def serving(kind: type[Cloud]):
    """Serve a shelf on loopback; gives the URL and the shelf."""
    shelf = Shelf()
    handler = type(kind.__name__, (kind,), {"shelf": shelf, "protocol_version": "HTTP/1.1"})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", shelf
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
