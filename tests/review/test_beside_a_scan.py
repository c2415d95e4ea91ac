"""Deciding on the page while a scan writes the same ledger."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from batchscan.commands.state_check import check
from batchscan.ledger import FILE_NAME
from batchscan.review.server import ReviewServer
from batchscan.settings import Api
from tests.support.answering import answering, match, said
from tests.support.pictures import png, tree
from tests.support.review import loaded, reading

PICTURES = 60


async def decide_until(scan, reader) -> int:
    """Decide about what there is, again and again, as long as a scan goes on."""
    decided = 0
    await reader.show("by=picture")
    while not scan.done():
        if not reader.seen:
            await asyncio.sleep(0.05)
            await reader.show("by=picture")
            continue
        await asyncio.wait_for(reader.decide("reviewed", note=f"note {decided}"), 60)
        assert reader.attribute("warning") == ""
        decided += 1
    return decided


@pytest.mark.slow
async def test_review_and_scan_do_not_disturb_each_other(tmp_path):
    def say(name: str, scan_id: str) -> bytes:
        return said(scan_id, *(match(int(name[1:]) * 10 + n) for n in range(4)))

    async with answering(tmp_path, say) as service:
        tree(service.images, {f"p{n}.png": png(16, 16, n) for n in range(5)})
        assert (await service.run())[0] == 0
        tree(service.images, {f"p{n}.png": png(16, 16, n) for n in range(PICTURES)})
        known = loaded(tmp_path)
        ours = replace(known, settings=replace(known.settings, api=Api(url=service.url)))
        async with ReviewServer(ours) as server, reading(server) as reader:
            scan = asyncio.create_task(service.run("--rate", "20/s", "-q"))
            decided = await decide_until(scan, reader)
            code, _, trouble = await scan
            left, total = (await reader.show()).left

    assert (code, trouble) == (0, "")
    assert set(service.paid().values()) == {1}
    assert len(service.asked) == PICTURES
    assert total == PICTURES * 4
    assert total - left == decided > 20
    with closing(sqlite3.connect(tmp_path / "state" / FILE_NAME)) as ledger:
        assert ledger.execute("SELECT count(*) FROM decided").fetchone() == (decided,)
    assert [each for each in check(tmp_path / "state") if each.level == "problem"] == []
