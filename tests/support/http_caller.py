"""Requests to the review page byte for byte, as other programs and other pages would send them."""

from __future__ import annotations

import asyncio
import http.client
from urllib.parse import urlsplit


class Caller:
    """Sends requests byte for byte as they are said to be."""

    def __init__(self, server) -> None:
        self.url = server.url
        parts = urlsplit(server.url)
        self.port, self.token = parts.port, parts.query.partition("=")[2]
        self.host = f"127.0.0.1:{self.port}"
        self.cookie = ""

    async def ask(self, method="GET", path="/", body=b"", host=None, cookie=True, **headers):
        lines = {"Host": self.host if host is None else host, **headers}
        if cookie and self.cookie:
            lines.setdefault("Cookie", self.cookie)
        if body:
            lines.setdefault("Content-Type", "application/x-www-form-urlencoded")
            lines.setdefault("Content-Length", str(len(body)))
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
        return await self.raw(
            f"{method} {path} HTTP/1.1\r\n{head}Connection: close\r\n\r\n".encode() + body
        )

    async def raw(self, request: bytes):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        data = await asyncio.wait_for(reader.read(), 90)
        writer.close()
        head, _, content = data.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        fields = http.client.HTTPMessage()
        for line in lines:
            name, _, value = line.partition(": ")
            fields[name] = value
        return int(status.split()[1]), fields, content

    async def enter(self):
        status, fields, _ = await self.ask(path=f"/?token={self.token}")
        assert status == 303
        self.cookie = fields["Set-Cookie"].partition(";")[0]
        return fields["Set-Cookie"]
