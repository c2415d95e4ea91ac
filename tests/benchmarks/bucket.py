"""A bucket with very many empty objects in one prefix, as a process of its own: only its listing.

    python -m tests.benchmarks.bucket COUNT

It prints its URL and serves until its stdin ends.
"""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

PAGE = 1000
ENTRY = (
    "<Contents><Key>p/{:08d}.png</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
    "<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>0</Size>"
    "<StorageClass>STANDARD</StorageClass></Contents>"
)


class Listing(BaseHTTPRequestHandler):
    """Answers list_objects_v2; an object asked for by its name is not there."""

    protocol_version = "HTTP/1.1"
    count = 0

    def do_GET(self) -> None:
        words = parse_qs(urlsplit(self.path).query)
        start = int(words.get("continuation-token", ["0"])[0])
        end = min(start + PAGE, self.count)
        more = f"<NextContinuationToken>{end}</NextContinuationToken>" if end < self.count else ""
        entries = "".join(map(ENTRY.format, range(start, end)))
        self.answer(
            200,
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>{more}{entries}"
            "</ListBucketResult>",
        )

    def do_HEAD(self) -> None:
        self.answer(404, "")

    def answer(self, status: int, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *words: object) -> None:
        pass


def main() -> None:
    Listing.count = int(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Listing)
    Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
