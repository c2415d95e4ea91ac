"""A actor in this process, as a worker's event loop would run it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import pytest

from batchscan import Api, Settings
from batchscan.copyleaks.secret import SecretStr
from batchscan.emulator import Emulator, EmulatorConfig
from batchscan.engines.cluster.messages import (
    DropBody,
    Inspect,
    MakePreview,
    Release,
    TaskRejected,
    Upload,
)
from batchscan.engines.cluster.worker_replies import PART, LongReply
from batchscan.engines.interface import NotSent, Success, TokenRejected, TransientError
from batchscan.enums import FailReason, RejectReason
from batchscan.images.preview import Preview
from batchscan.model import Candidate, Image, NotSendable, Stat
from tests.support.answering import answering, match, said
from tests.support.inside import shown_of, warm_up
from tests.support.pictures import png
from tests.support.processes import until

if TYPE_CHECKING:
    from batchscan.engines.cluster.worker_actor import WorkerActor

pytestmark = pytest.mark.slow  # each starts a decoders' process


def ready(settings: Settings) -> WorkerActor:
    from batchscan.engines.cluster.worker_actor import WorkerActor  # noqa: PLC0415 - it is slow

    return warm_up(WorkerActor(settings, 1))


@pytest.fixture
async def emulator():
    async with Emulator(EmulatorConfig(search=False)) as running:
        yield running


@pytest.fixture
async def actor(emulator):
    settings = Settings(api=Api(url=emulator.url, identity_url=emulator.url))
    opened = ready(settings)
    yield opened
    await opened.close()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png(16, 16, 1))
    return path


def candidate(path) -> Candidate:
    return Candidate(str(path), Stat.of(path.stat()), root=str(path.parent))


BATCHES = count(10)  # later ones than those that tests number


async def results(actor, *tasks, token: str | None = None) -> dict[int, object]:
    await actor.submit_batch(next(BATCHES), tasks, token and SecretStr(token))
    found: dict[int, object] = {}
    seen = 0
    while len(found) < len(tasks):
        taken = await actor.poll_events(seen)
        found |= {event.number: event.result for event in taken.events}
        seen = taken.first + len(taken.events) - 1
    await actor.poll_events(seen)
    return found


async def inspected(actor, path) -> Image:
    image = (await results(actor, Inspect(1, candidate(path))))[1]
    assert isinstance(image, Image)
    return image


def upload(image: Image, path, number: int = 2) -> Upload:
    return Upload(number, "scan-1", image, candidate(path), time.monotonic())


def token_of(emulator) -> str:
    reply = emulator.account.login(b'{"email": "me@example.com", "key": "the key"}')
    return str(json.loads(reply.body)["access_token"])


async def test_an_inspected_picture_comes_back_without_its_bytes(actor, file):
    image = await inspected(actor, file)

    assert (image.data, image.stat.size) == (b"", file.stat().st_size)


async def test_a_file_that_cannot_be_sent_comes_back_with_why(actor, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"")
    found = (await results(actor, Inspect(1, candidate(path))))[1]

    assert isinstance(found, NotSendable)
    assert found.reason is RejectReason.EMPTY


async def test_inspected_bytes_are_sent_even_after_the_file_is_deleted(actor, emulator, file):
    image = await inspected(actor, file)
    file.rename(file.with_name("gone"))
    task = replace(upload(image, file.with_name("gone")))
    reply = (await results(actor, task, token=token_of(emulator)))[2]

    assert isinstance(reply, Success)
    assert emulator.journal.of("check")[0].sha256 == image.sha256


async def test_bytes_that_are_gone_are_read_again(actor, emulator, file):
    image = await inspected(actor, file)
    await actor.submit_batch(next(BATCHES), (Release(image.path, image.sha256),), None)
    reply = (await results(actor, upload(image, file), token=token_of(emulator)))[2]

    assert isinstance(reply, Success)
    assert emulator.journal.of("check")[0].sha256 == image.sha256


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda file: file.write_bytes(png(16, 16, 2)), FailReason.CHANGED_WHILE_READING),
        (lambda file: file.write_bytes(b"no picture"), FailReason.CHANGED_WHILE_READING),
        (lambda file: file.unlink(), FailReason.VANISHED),
    ],
    ids=["another picture", "no picture", "gone"],
)
async def test_what_was_read_again_and_differs_is_not_sent(actor, emulator, file, spoil, reason):
    image = await inspected(actor, file)
    task = upload(image, file)
    await actor.submit_batch(next(BATCHES), (Release(image.path, image.sha256),), None)
    spoil(file)
    reply = (await results(actor, task, token=token_of(emulator)))[2]

    assert isinstance(reply, NotSent)
    assert reply.reason is reason
    assert not emulator.journal.of("check")


async def test_a_token_that_is_refused_comes_back_as_that(actor, file):
    image = await inspected(actor, file)
    reply = (await results(actor, upload(image, file), token="old"))[2]

    assert isinstance(reply, TokenRejected)


async def test_tasks_that_come_twice_are_done_once(actor, emulator, file):
    image = await inspected(actor, file)
    tasks = (upload(image, file),)
    token, number = SecretStr(token_of(emulator)), next(BATCHES)
    for _ in range(3):
        await actor.submit_batch(number, tasks, token)
    first = await actor.poll_events(0)
    again = await actor.poll_events(0)

    assert first.events == again.events
    assert len(emulator.journal.of("check")) == 1


async def test_a_picture_leaves_at_its_time(actor, emulator, file):
    image = await inspected(actor, file)
    began = time.monotonic()
    task = replace(upload(image, file), at=began + 0.3)
    await results(actor, task, token=token_of(emulator))

    assert time.monotonic() - began >= 0.3


async def test_a_thumbnail_is_made_where_the_picture_is(actor, file):
    image = await inspected(actor, file)
    made = (await results(actor, MakePreview(3, image, candidate(file))))[3]

    assert isinstance(made, Preview)
    assert made.thumbnail is not None


async def test_an_actor_that_is_retiring_refuses_tasks(actor, file):
    await actor.drain()
    result = (await results(actor, Inspect(1, candidate(file))))[1]

    assert result == TaskRejected()


async def test_nothing_is_sent_for_a_driver_that_is_silent(actor, emulator, file):
    image = await inspected(actor, file)
    actor._taken_at -= 60
    reply = await actor._result_of(upload(image, file), SecretStr(token_of(emulator)))

    assert isinstance(reply, TransientError)
    assert (reply.ambiguous, reply.worker_lost) == (False, True)  # so that it is asked again
    assert not emulator.journal.of("check")


async def test_an_actor_shows_neither_token_nor_key(actor, emulator, file):
    image = await inspected(actor, file)
    token = token_of(emulator)
    await results(actor, upload(image, file), token=token)

    assert token not in shown_of(actor)
    assert "api_key=None" in shown_of(actor)


async def test_long_answers_are_held_one_at_a_time_until_each_is_fetched_in_parts(tmp_path):
    """The second waits in a file meanwhile, and parts may be asked for again."""

    def long(name: str, scan_id: str) -> bytes:
        return said(scan_id, match(0), padding=name[:1] * 3 * PART)

    async with answering(tmp_path, long) as service:
        settings = Settings(api=Api(url=service.url, identity_url=service.url))
        actor = ready(settings)
        names = {1: "a", 2: "b"}
        tasks = []
        for number, name in names.items():
            path = tmp_path / f"{name}.png"
            path.write_bytes(png(16, 16, number))
            image = await inspected(actor, path)
            tasks.append(Upload(number, f"scan-{name}", image, candidate(path), 0.0))
        await actor.submit_batch(next(BATCHES), tuple(tasks), SecretStr("token"))
        await until(lambda: len(service.asked) == len(names))
        left = set(names)
        while left:
            number, size = await next_long(actor)
            left.remove(number)
            body = await fetched(actor, number)
            assert len(body) == size
            assert body == long(names[number], f"scan-{names[number]}")
        await actor.close()


async def next_long(actor) -> tuple[int, int]:
    """The number and size of the one long body that there is; its reply has none."""
    while not (taken := await actor.poll_events(0)).events:
        pass
    (event,) = taken.events
    assert isinstance(event.result, LongReply)
    assert event.result.reply.body == b""
    confirmed = await actor.poll_events(taken.first)
    assert confirmed.events == (), "the other one has no turn yet"
    return event.number, event.result.bytes


async def fetched(actor, number: int) -> bytes:
    """A body, of which each part is asked for twice; then it is dropped."""
    body = b""
    while part := await actor.answer_part(number, len(body)):
        assert len(part) <= PART
        assert part == await actor.answer_part(number, len(body))
        body += part
    await actor.submit_batch(next(BATCHES), (DropBody(number),), None)
    assert await actor.answer_part(number, 0) == b""
    return body
