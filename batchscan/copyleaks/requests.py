"""Building the three requests, without I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote

import msgspec

SCAN_ID = re.compile(r"[a-z0-9-]{3,36}")  # allowed by all of the vendor's rules


@dataclass(frozen=True, slots=True)
class Multipart:
    """A form around one picture, ready to be sent without copying the picture."""

    boundary: str
    head: bytes = field(repr=False)
    image: bytes = field(repr=False)
    tail: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """The Content-Length of the request, in bytes."""
        return len(self.head) + len(self.image) + len(self.tail)


@dataclass(frozen=True, slots=True)
class Request:
    """A request without common headers."""

    method: str
    url: str
    content_type: str | None = None
    body: bytes | Multipart = field(default=b"", repr=False)
    token: str | None = field(default=None, repr=False)
    # Over a connection of its own: its answer does not name the request, as that of a check does,
    # so the answer of another request could be taken for it.
    alone: bool = False


def login(identity_url: str, email: str, key: str) -> Request:
    """The login (the vendor's login page)."""
    body = msgspec.json.encode({"email": email, "key": str(key)})
    url = f"{identity_url.rstrip('/')}/v3/account/login/api"
    return Request("POST", url, "application/json", body, alone=True)


def credits_left(api_url: str, token: str) -> Request:
    """The balance (the vendor's credits page)."""
    return Request("GET", f"{api_url.rstrip('/')}/v3/scans/credits", token=token, alone=True)


def check(api_url: str, scan_id: str, form: Multipart, token: str) -> Request:
    """The image plagiarism check (the vendor's check page)."""
    if not SCAN_ID.fullmatch(scan_id):
        raise ValueError(f"not a scan id: {scan_id!r}")
    path = f"/v1/image-plagiarism-detector/{quote(scan_id, safe='')}/check"
    content_type = f"multipart/form-data; boundary={form.boundary}"
    return Request("POST", api_url.rstrip("/") + path, content_type, form, token)


def check_form(
    scan_id: str, image: bytes, file_name: str, content_type: str, *, sandbox: bool
) -> Multipart:
    """The form of a check; its parts are in the order of the vendor's sample.

    The boundary is derived from the scan id, so that a repeated request is identical.
    """
    boundary = f"batchscan-{scan_id}-7MA4YWxkTrZu0gW"
    dash = f"--{boundary}\r\n"
    head = (
        f'{dash}Content-Disposition: form-data; name="image"; filename="{_quoted(file_name)}"\r\n'
        f"Content-Type: {content_type}\r\n\r\n"
    )
    fields = {"filename": file_name, "sandbox": "true" if sandbox else "false"}
    tail = "\r\n" + "".join(
        f'{dash}Content-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    return Multipart(boundary, head.encode(), image, f"{tail}--{boundary}--\r\n".encode())


def _quoted(name: str) -> str:
    """Escape a name as browsers do (WHATWG HTML, multipart/form-data)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
