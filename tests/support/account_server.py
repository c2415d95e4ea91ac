"""The three endpoints of the vendor's API that `doctor` and `credits` ask, on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Vendor:
    """What the far end is to answer, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.login_status = 200
        self.balance: Any = 7
        self.time: float | None = None  # its clock; None: as ours
        self.url = ""

    def answer(self, path: str) -> tuple[int, Any]:
        self.asked.append(path)
        if path.endswith("/login/api"):
            grant = {
                "access_token": "t0ken",
                ".issued": "2026-11-23T18:00:00.0000000Z",
                ".expires": "2026-11-25T18:00:00.0000000Z",
            }
            return self.login_status, grant
        if path.endswith("/credits"):
            return 200, {"Amount": self.balance}
        image = {"scanId": path.split("/")[-2], "expectedCredits": 0, "actualCredits": 0}
        score = {"totalMatches": 0, "fullMatches": 0, "partialMatches": 0}
        return 200, {"scannedImage": image, "matches": {"internet": [], "score": score}}


@contextmanager
def serving(vendor: Vendor) -> Iterator[None]:
    """Run the far end until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def date_time_string(self, timestamp: float | None = None) -> str:
            return formatdate(vendor.time if timestamp is None else timestamp, usegmt=True)

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, body = vendor.answer(self.path)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_PUT = do_GET  # noqa: N815 - the same

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the same
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    vendor.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
