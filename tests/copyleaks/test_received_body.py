from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchscan.copyleaks.received_body import SHORT_ANSWER, ReceivedBody

SIZES = st.lists(st.sampled_from([0, 1, 1000, 300_000, SHORT_ANSWER]), max_size=12)


async def received(folder, parts) -> bytes:
    async with ReceivedBody(folder) as body:
        for part in parts:
            body.add(part)
            if body.is_block_full:
                await body.store()
        assert body.size == sum(map(len, parts))
        return await body.content()


def parts_of(sizes) -> list[bytes]:
    return [bytes([number]) * size for number, size in enumerate(sizes)]


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """As if a disk were full when a file has so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@settings(max_examples=25)
@given(SIZES)
async def test_the_parts_of_a_body_are_joined_in_their_order(tmp_path_factory, sizes):
    parts = parts_of(sizes)

    assert await received(tmp_path_factory.getbasetemp(), parts) == b"".join(parts)


@pytest.mark.parametrize("room", [0, 1_300_000])
async def test_what_the_disk_cannot_take_stays_in_memory(tmp_path, room):
    parts = parts_of([500_000] * 6)

    with files_of_at_most(room):
        assert await received(tmp_path, parts) == b"".join(parts)


async def test_a_folder_that_is_gone_loses_nothing(tmp_path):
    parts = parts_of([2_000_000, 2_000_000])

    assert await received(tmp_path / "gone", parts) == b"".join(parts)


async def test_without_a_folder_all_is_in_memory():
    parts = parts_of([2_000_000, 2_000_000])

    assert await received(None, parts) == b"".join(parts)


async def test_nothing_is_left_in_the_folder(tmp_path):
    assert len(await received(tmp_path, parts_of([2_000_000]))) == 2_000_000
    assert list(tmp_path.iterdir()) == []
