"""Numbers from outside that no column holds: paid for once, and everything goes on."""

from __future__ import annotations

import json
import os
import re

from batchscan.commands.state_check import check
from tests.support.answering import answering, match, said
from tests.support.pictures import png, tree

BEYOND = ("18446744073709551616", "-9223372036854775809", "1e300", "1e400", "1" * 5_000)
TIMES = (-(2**63), -1, 2**34 - 1, 2**33, 9_223_372_037)  # seconds since 1970


def beyond(name: str, scan_id: str) -> bytes:
    """An answer whose every number is one of these."""
    number = BEYOND[int(name)].encode()
    return re.sub(rb"(?<=: )\d+", number, said(scan_id, match(int(name))))


async def test_answers_and_times_beyond_64_bits_are_paid_for_once(tmp_path):
    async with answering(tmp_path, beyond) as service:
        tree(service.images, {f"{n}.png": png(16, 16, n) for n in range(len(BEYOND))})
        for number, seconds in enumerate(TIMES):
            try:
                os.utime(service.images / f"{number}.png", (seconds, seconds))
            except (OSError, OverflowError):  # not on this file system
                continue
        for _ in range(2):
            code, out, err = await service.run("--json")
            assert code in (0, 3), err
            assert json.loads(out)["files"]["seen"] == len(BEYOND)
        assert len(service.asked) == len(service.paid()) == len(BEYOND)
        assert not [each for each in check(tmp_path / "state") if each.level == "problem"]
