"""A timestamp authority made with OpenSSL: its certificates, and what it answers."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

_CONFIG = """
[req]
distinguished_name = dn
prompt = no
[dn]
CN = {name}
[ca]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
[tsa]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
[ts]
dir = {folder}
serial = $dir/serial
signer_cert = $dir/tsa.pem
signer_key = $dir/tsa.key
certs = $dir/ca.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


@dataclass(frozen=True)
class Authority:
    """Where its files are."""

    folder: Path

    @property
    def roots(self) -> Path:
        return self.folder / "ca.pem"

    def reply(self, query: bytes) -> bytes:
        """Answer a request."""
        (self.folder / "query").write_bytes(query)
        _openssl(
            self.folder, "ts", "-reply", "-config", "cnf", "-section", "ts", "-queryfile", "query",
            "-out", "reply",
        )  # fmt: skip
        return (self.folder / "reply").read_bytes()

    def verifies(self, data: Path, response: Path) -> bool:
        """Whether OpenSSL itself accepts an answer about a file."""
        words = ["ts", "-verify", "-data", str(data), "-in", str(response), "-CAfile", "ca.pem"]
        return "Verification: OK" in _openssl(self.folder, *words)


def make_authority(folder: Path, *, with_chain: bool = False) -> Authority:
    """Make one; `with_chain` sends its root along, which not every program can read."""
    folder.mkdir()
    text = _CONFIG.format(folder=folder, name="Test authority")
    (folder / "cnf").write_text(text if with_chain else text.replace("certs = $dir/ca.pem\n", ""))
    (folder / "serial").write_text("01")
    key = ("-newkey", "rsa:2048", "-nodes", "-days", "30", "-config", "cnf")
    _openssl(
        folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-extensions", "ca"
    )
    _openssl(
        folder,
        "req",
        "-new",
        *key[:3],
        "-config",
        "cnf",
        "-keyout",
        "tsa.key",
        "-out",
        "tsa.csr",
        "-subj",
        "/CN=Signer",
    )
    _openssl(
        folder, "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "30",
        "-CAcreateserial", "-out", "tsa.pem", "-extfile", "cnf", "-extensions", "tsa",
    )  # fmt: skip
    return Authority(folder)


def _openssl(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["openssl", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@contextmanager
def serving(authority: Authority) -> Iterator[str]:
    """Let an authority answer over HTTP, in a thread of its own; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            reply = authority.reply(query)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *words: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/tsa"
        finally:
            server.shutdown()
            thread.join()
