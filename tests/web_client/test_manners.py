"""How a site is treated: its robots.txt, and how often it is asked."""

import asyncio
import time
from itertools import pairwise

import pytest

from batchscan.web_client import ConnectTo, Failure, FailureKind, Fetched, FetchLimits, WebClient
from tests.support.servers import head_of, scripted
from tests.support.web_sites import NOT_THERE, ok, redirect

LIMIT = 100_000


@pytest.fixture
def web():
    """Serve what is given for each path, under any name; what was asked when."""
    asked: list[tuple[float, str]] = []

    def serve(answers: dict[str, bytes]):
        async def script(reader, writer):
            path = (await head_of(reader)).decode().split(" ")[1]
            asked.append((time.monotonic(), path))
            writer.write(answers.get(path, NOT_THERE))
            await writer.drain()

        return scripted(script)

    return serve, asked


def client_of(url: str, pause: float = 0.0) -> WebClient:
    rule = f"::127.0.0.1:{url.rpartition(':')[2]}"
    return WebClient(connect_to=ConnectTo.of([rule]), limits=FetchLimits(5.0, pause))


@pytest.mark.parametrize(
    ("robots", "kind"),
    [
        (ok(b"User-agent: *\nDisallow: /a"), FailureKind.ROBOTS),
        (ok(b"", status="503 Busy"), FailureKind.ROBOTS),
        (ok(b"", status="429 Slow down"), FailureKind.ROBOTS),
        (ok(b"", "cf-mitigated: challenge", status="403 No"), FailureKind.CHALLENGE),
        (ok(b"", status="403 No"), None),
        (ok(b"", status="401 No"), None),
        (ok(b"User-agent: *\nDisallow: /b"), None),
        (ok(b"\xff\xfe\x00" * 999), None),
        (ok(b"User-agent: *\nDisallow: /a\n" + b"#" * 600_000), FailureKind.ROBOTS),
        (redirect("/elsewhere.txt"), FailureKind.ROBOTS),
        (redirect("/robots.txt"), None),  # it never comes
        (redirect("http://127.0.0.1:1/robots.txt"), FailureKind.CONNECTION),
    ],
)
async def test_robots_txt_is_honoured(web, robots, kind):
    serve, asked = web
    pages = {
        "/robots.txt": robots,
        "/elsewhere.txt": ok(b"User-agent: batchscan\nDisallow: /a"),
        "/a": ok(b"a"),
    }
    async with serve(pages) as url:
        # Port 1 is refused by the rule, which is for the usual one
        client = WebClient(
            connect_to=ConnectTo.of([f":80:127.0.0.1:{url.rpartition(':')[2]}", ":1:127.0.0.1:1"]),
            limits=FetchLimits(5.0, 0.0),
        )
        got = await client.get("http://a.example/a", max_bytes=LIMIT)

    if kind is None:
        assert isinstance(got, Fetched), got
    else:
        assert isinstance(got, Failure)
        assert got.kind is kind
        assert "/a" not in [path for _, path in asked]


async def test_robots_txt_is_asked_for_once_and_before_each_hop(web):
    serve, asked = web
    pages = {"/a": redirect("http://b.example/b"), "/b": ok(b"b")}
    async with serve(pages) as url:
        client = client_of(url)
        found = await asyncio.gather(
            *(client.get("http://a.example/a", max_bytes=LIMIT) for _ in range(5))
        )

    assert all(isinstance(each, Fetched) for each in found)
    paths = [path for _, path in asked]
    assert paths.count("/robots.txt") == 2  # a.example's and b.example's
    assert paths.count("/a") == paths.count("/b") == 5


async def test_one_host_is_asked_one_at_a_time_with_a_pause_and_another_one_meanwhile(web):
    serve, asked = web
    pages = {f"/{number}": ok(b"x") for number in range(8)}
    async with serve(pages) as url:
        client = client_of(url, pause=0.4)
        await asyncio.gather(
            *(
                client.get(f"http://{host}.example/{number}", max_bytes=LIMIT)
                for number, host in enumerate("aaaabbbb")
            )
        )

    order = [int(path[1:]) for _, path in asked if path != "/robots.txt"]
    assert min(map(order.index, (4, 5, 6, 7))) < max(map(order.index, (0, 1, 2, 3)))
    assert min(map(order.index, (0, 1, 2, 3))) < max(map(order.index, (4, 5, 6, 7)))
    for numbers in ({0, 1, 2, 3}, {4, 5, 6, 7}):
        times = [at for at, path in asked if path != "/robots.txt" and int(path[1:]) in numbers]
        assert all(later - sooner > 0.14 for sooner, later in pairwise(times))
