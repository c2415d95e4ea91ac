"""Sites on loopback for the client that gets other people's addresses, byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from batchscan.web_client import ConnectTo, FetchLimits, WebClient
from tests.support.servers import Script, head_of, scripted

NOT_THERE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
Answer = Callable[[str], bytes]


@dataclass
class Site:
    """A site that is asked for as http://site.example, and what it was asked."""

    url: str = ""
    heads: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def paths(self) -> list[str]:
        return [head.split(" ")[1] for head in self.heads]

    def rule(self, host: str = "site.example", port: int = 80) -> str:
        return f"{host}:{port}:127.0.0.1:{self.port}"

    def client(self, *rules: str, **changes) -> WebClient:
        options = {"limits": FetchLimits(seconds=5.0, pause=0.0), **changes}
        return WebClient(connect_to=ConnectTo.of([self.rule(), *rules]), **options)


@asynccontextmanager
async def site(answer: Answer | None = None, script: Script | None = None) -> AsyncIterator[Site]:
    """Serve what `answer` gives for a path, or let a script do it; robots.txt is not there."""
    found = Site()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await head_of(reader)).decode("latin-1")
        found.heads.append(head)
        path = head.split(" ")[1]
        if script is not None and path != "/robots.txt":
            await script(reader, writer)
            return
        writer.write(NOT_THERE if path == "/robots.txt" or answer is None else answer(path))
        await writer.drain()

    async with scripted(serve) as url:
        found.url = url
        yield found


def ok(body: bytes = b"hello", *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def redirect(to: str, status: int = 302) -> bytes:
    return ok(b"", f"Location: {to}", status=f"{status} Found")


def names(table: dict[str, Sequence[str] | Exception]):
    """A look-up that knows these names only, and counts: what differs each time is a list of lists."""

    async def lookup(host: str, port: int) -> Sequence[str]:
        found = table[host]
        if isinstance(found, Exception):
            raise found
        return found

    return lookup
