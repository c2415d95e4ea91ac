from __future__ import annotations

import asyncio

import pytest
from filelock import FileLock

from batchscan.copyleaks.token_provider import locked


async def hold(path, held: asyncio.Event) -> None:
    async with locked(path):
        held.set()


async def test_only_one_holds_the_lock_and_the_loop_runs_on_meanwhile(tmp_path):
    path, held = tmp_path / "new" / "lock", asyncio.Event()
    async with locked(path):
        other = asyncio.create_task(hold(path, held))
        await asyncio.sleep(0.15)
        assert not held.is_set()
    await other

    assert held.is_set()
    assert path.stat().st_mode & 0o077 == 0


async def test_a_cancelled_waiter_never_takes_the_lock(tmp_path):
    path, held = tmp_path / "lock", asyncio.Event()
    other = FileLock(path)
    with other:
        waiting = asyncio.create_task(hold(path, held))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with asyncio.timeout(60):
        await hold(path, held)

    with other.acquire(timeout=0):
        assert held.is_set()


async def test_trouble_inside_gives_the_lock_back(tmp_path):
    with pytest.raises(ValueError, match="inside"):
        async with locked(tmp_path / "lock"):
            raise ValueError("inside")

    with FileLock(tmp_path / "lock").acquire(timeout=0):
        pass


async def test_where_no_lock_can_be_had_it_goes_on_without(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    held = asyncio.Event()
    await hold(tmp_path / "file" / "lock", held)

    assert held.is_set()
