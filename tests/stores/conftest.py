"""A bucket on loopback, as moto serves it, and whole scans of it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any

import pytest

from batchscan.emulator import Emulator, EmulatorConfig
from batchscan.stores import using
from tests.support.bench import FAST, Bench, Ran
from tests.support.clocks import SkippingClock

pytest.importorskip("s3fs", reason="pip install 'batchscan[s3]'")
moto_app = pytest.importorskip("moto.moto_server.werkzeug_app")
serving = pytest.importorskip("werkzeug.serving")
boto = pytest.importorskip("botocore.session")

BUCKET = "pictures"


class Asked:
    """Counts the requests that moto's server was asked, by method and path; refuses some."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.refused: dict[str, int] = {}  # what is in a request's line, and its status
        self.broken = 0  # bodies that break off
        self.before: dict[str, Callable[[], None]] = {}  # once, before such a line is answered

    def __call__(self, application):
        def counting(environ, start):
            query = environ.get("QUERY_STRING", "")
            path = f"{environ['PATH_INFO']}?{query}"
            self.lines.append((environ["REQUEST_METHOD"], path))
            line = f"{environ['REQUEST_METHOD']} {path}"
            for part in [part for part in self.before if part in line]:
                self.before.pop(part)()
            for part, status in self.refused.items():
                if part in line:
                    return refusal(status, start)
            answer = application(environ, start)
            if self.broken and line.startswith("GET") and "list-type" not in line:
                self.broken -= 1
                return [b"".join(answer)[:100]]  # fewer bytes than its head says
            return answer

        return counting

    @property
    def listings(self) -> int:
        return sum("list-type=2" in path for method, path in self.lines if method == "GET")

    @property
    def reads(self) -> list[str]:
        return [path for method, path in self.lines if method == "GET" and "list-type" not in path]

    def forget(self) -> None:
        self.lines.clear()
        self.refused.clear()
        self.before.clear()
        self.broken = 0


def refusal(status: int, start) -> list[bytes]:
    """An error as S3 tells it."""
    code = {403: "AccessDenied", 404: "NoSuchKey"}.get(status, "InternalError")
    start(f"{status} {code}", [("Content-Type", "application/xml")])
    return [f"<Error><Code>{code}</Code><Message>{code} of the test</Message></Error>".encode()]


@dataclass
class Bucket:
    """One bucket, filled by a client of its own."""

    client: Any
    asked: Asked
    name: str = BUCKET

    @property
    def url(self) -> str:
        return f"s3://{self.name}"

    def put(self, **objects: bytes) -> None:
        for key, data in objects.items():
            self.write(key, data)

    def write(self, key: str, data: bytes = b"") -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=data)

    def remove(self, key: str) -> None:
        self.client.delete_object(Bucket=self.name, Key=key)


@pytest.fixture(scope="session")
def s3_server():
    """The URL of moto's server, and what it was asked."""
    asked = Asked()
    served = asked(moto_app.DomainDispatcherApplication(moto_app.create_backend_app))
    server = serving.make_server(
        "127.0.0.1", 0, served, threaded=True, request_handler=moto_app.MotoRequestHandler
    )
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def aws(s3_server, monkeypatch, tmp_path):
    """The environment in which AWS' own chain finds this server, and nothing of the machine's."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server[0])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id-of-the-store")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-store")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return s3_server


@pytest.fixture(scope="session")
def s3_client(s3_server):
    client = boto.get_session().create_client(
        "s3",
        endpoint_url=s3_server[0],
        region_name="us-east-1",
        aws_access_key_id="another-id",
        aws_secret_access_key="another-secret",
    )
    yield client
    client.close()


@pytest.fixture
def bucket(aws, s3_client):
    (_, asked), client = aws, s3_client
    client.create_bucket(Bucket=BUCKET)
    asked.forget()
    yield Bucket(client, asked)
    asked.forget()
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for found in page.get("Contents", ()):
            client.delete_object(Bucket=BUCKET, Key=found["Key"])
    client.delete_bucket(Bucket=BUCKET)


@pytest.fixture
def opened():
    """Stores are closed at the end."""
    with using():
        yield


@dataclass
class RemoteBench(Bench):
    """A bench whose pictures are in a store; lines are named by what follows the store's name."""

    roots: tuple[str, ...] = ()
    top: str = ""

    def settings(self, **changes):
        changes.setdefault("roots", self.roots)
        return super().settings(**changes)

    def name_of(self, path: str) -> str:
        return path.removeprefix(f"{self.top}/")


def outcomes(ran: Ran) -> dict[str, str]:
    """What became of each: its reason, or its status."""
    return {name: line.reason or line.status.value for name, line in ran.lines.items()}


@pytest.fixture
def bench_of(tmp_path):
    @asynccontextmanager
    async def opening(*roots: str, top: str | None = None):
        clock = SkippingClock()
        config = EmulatorConfig(
            search=False, rates=FAST, clock=clock.monotonic, wall_clock=clock.wall
        )
        async with Emulator(config) as emulator:
            yield RemoteBench(tmp_path, emulator, clock, roots, roots[0] if top is None else top)

    return opening


@pytest.fixture
async def bench(bucket, bench_of):
    async with bench_of(bucket.url) as opened_bench:
        yield opened_bench
