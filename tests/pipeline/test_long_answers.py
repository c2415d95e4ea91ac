"""Long answers: each file has its turn alone, and nobody waits for a file that waits for it."""

from __future__ import annotations

import asyncio

from batchscan.pipeline.long_answers import LongAnswers
from tests.support.answering import answering, match, said
from tests.support.pictures import png, tree

LONG = 4_000  # matches: more than 16 KiB also when they are compressed


async def test_a_file_has_its_turn_until_it_is_released_however_often_it_asks():
    turns, order = LongAnswers(), []

    async def use(path):
        await turns.take(path)
        await turns.take(path)
        order.append(path)
        await asyncio.sleep(0)
        turns.release("another")
        assert order[-1] == path
        turns.release(path)
        turns.release(path)

    async with asyncio.timeout(60):
        await asyncio.gather(*map(use, "abc"))

    assert order == ["a", "b", "c"]


async def test_twins_of_long_answers_wait_for_each_other_without_end(tmp_path):
    """New, reused, asked again by force: files of one content, beside others of long answers."""

    def long(name: str, scan_id: str) -> bytes:
        return said(scan_id, *map(match, range(LONG)))

    async with answering(tmp_path, long) as service:
        tree(service.images, {f"{n}-{copy}.png": png(16, 16, n) for n in (1, 2) for copy in "ab"})
        for words, scanned in (((), 2), (("--rehash",), 0), (("--force",), 2)):
            tree(service.images, {f"later{scanned}.png": png(16, 16, 1)})
            code, _, err = await service.run(*words)
            assert code == 0, err
            lines = service.last_lines().values()
            assert sum(line.status == "scanned" for line in lines) == scanned
            assert all(len(line.matches) == LONG for line in lines)
    assert len(service.asked) == 4
