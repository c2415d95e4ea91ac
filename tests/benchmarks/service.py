"""nginx on loopback that answers like the service: what is measured is the client alone."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ANSWER = {
    "matches": {
        "internet": [
            {
                "url": f"https://images.example/{number}.jpg",
                "matchType": number % 2,
                "webPages": [{"url": f"https://example.com/page/{number}"}],
            }
            for number in range(3)
        ],
        "score": {"fullMatches": 2, "partialMatches": 1, "totalMatches": 3},
    },
    "scannedImage": {
        "scanId": "$id",
        "creationTime": "2026-11-23T18:02:37Z",
        "expectedCredits": 1,
        "actualCredits": 1,
    },
}
GRANT = {
    "access_token": "token-of-the-benchmark",
    ".issued": "2026-11-23T00:00:00.0000000Z",
    ".expires": "2026-11-25T00:00:00.0000000Z",
}
# The picture is read whole before the answer: proxying to itself makes nginx do that.
CONFIG = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_buffer_size 1m; client_max_body_size 25m;
  keepalive_requests 1000000; keepalive_timeout 60s;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  default_type application/json;
  upstream itself {{ server 127.0.0.1:{port}; keepalive 128; }}
  server {{
    listen 127.0.0.1:{port};
    location ~ ^/answer/(?<id>[^/]+)/ {{ return 200 '{answer}'; }}
    location = /v3/account/login/api {{ return 200 '{grant}'; }}
    location = /v3/scans/credits {{ return 200 '{{"Amount": 1000000}}'; }}
    location ~ ^/v1/image-plagiarism-detector/ {{
      rewrite ^/v1/image-plagiarism-detector/(.*)$ /answer/$1 break;
      proxy_pass http://itself; proxy_method GET; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_pass_request_body off;
      proxy_set_header Content-Length "";
    }}
  }}
}}
"""


NO_MATCHES = ANSWER | {
    "matches": {
        "internet": [],
        "score": {"fullMatches": 0, "partialMatches": 0, "totalMatches": 0},
    }
}


@contextmanager
def service(folder: Path, answer: object = ANSWER) -> Iterator[str]:
    """The URL of a service that answers this, for as long as the block lasts."""
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    folder.mkdir(parents=True)
    config = folder / "nginx.conf"
    config.write_text(
        CONFIG.format(folder=folder, port=port, answer=json.dumps(answer), grant=json.dumps(GRANT))
    )
    process = subprocess.Popen([nginx, "-c", str(config), "-e", f"{folder}/error.log"])
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("nginx did not come up")
