"""Whatever happens after an answer has come: it is paid for once, and some run tells of it."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from batchscan.commands.state_check import check
from tests.support import killing, raising
from tests.support.answering import Service, answering, match, said
from tests.support.limits import limited
from tests.support.pictures import png, tree
from tests.support.processes import Process, Running, all_lines

CONTENTS = 4
# After the answer has come, each of them.
LATER = (
    "settled",
    "kept",
    "read",
    "entering",
    "in-history",
    "entered",
    "entry-committed",
    "line-made",
    "released",
    "making-preview",
    "storing-preview",
    "settle-committed",
    "line-before",
)


def two_matches(name: str, scan_id: str) -> bytes:
    return said(scan_id, match(1, 0, "https://p.example/"), match(2, 1))


def pictures(count: int = CONTENTS) -> dict[str, bytes]:
    return {f"p{number}.png": png(16, 16, number) for number in range(count)}


async def told_by_the_next_run(service: Service, contents: int, matches: int) -> None:
    """Run again in peace: nothing is paid again, and every answer is told of."""
    code, out, err = await service.run("--json", "--fail-on", "any")
    assert code == 10, err
    report = json.loads(out)
    assert service.paid().total() == len(service.paid()) == contents
    assert report["files"]["failed"] == report["files"]["deferred"] == 0
    assert report["matches"]["total"] == contents * matches
    told = {
        line.sha256: line for line in all_lines(service) if line.status in ("scanned", "reused")
    }
    assert len(told) == contents
    assert {len(line.matches) for line in told.values()} == {matches}
    found = check(service.folder / "state")
    assert [each.detail for each in found if each.level == "problem"] == []


@pytest.mark.slow
@pytest.mark.parametrize("point", LATER)
@pytest.mark.parametrize("error", ["MemoryError", "OperationalError"])
async def test_an_error_after_the_answer_costs_nothing(tmp_path, error, point):
    async with answering(tmp_path, two_matches) as service:
        tree(service.images, pictures())
        program = (str(Path(raising.__file__)), error, point, "2")
        code, _, err = await service.run("-j", "1", program=program)
        assert code in (0, 1, 3, 9), err
        assert "No module named" not in err
        await told_by_the_next_run(service, CONTENTS, matches=2)


@pytest.mark.parametrize(
    "point",
    [
        "kept",
        pytest.param("read", marks=pytest.mark.slow),
        "entered",
        pytest.param("storing-preview", marks=pytest.mark.slow),
    ],
)
async def test_a_kill_after_the_answer_was_kept_costs_nothing(tmp_path, point):
    async with answering(tmp_path, two_matches) as service:
        tree(service.images, pictures())
        program = (str(Path(killing.__file__)), point, "2")
        code, _, err = await service.run("-j", "1", program=program)
        assert code < 0, err
        await told_by_the_next_run(service, CONTENTS, matches=2)
        scanned = [line.sha256 for line in all_lines(service) if line.status == "scanned"]
        assert len(scanned) == len(set(scanned)) == CONTENTS


async def test_a_run_that_was_killed_after_it_could_not_read_an_answer_is_closed(tmp_path):
    running: list[Running] = []

    def say(name: str, scan_id: str) -> bytes:
        if name == "p3":
            running[0].kill()
        return two_matches(name, scan_id)

    async with answering(tmp_path, say) as service:
        tree(service.images, pictures() | {"p0-twin.png": png(16, 16, 0)})
        program = (str(Path(raising.__file__)), "MemoryError", "read", "1")
        words = ("-j", "1", "--rate", "1000/s")
        running.append(await Process(service).start(*words, program=program))
        await running[0].communicate()
        service.say = two_matches
        for _ in range(2):
            code, _, err = await service.run("--fail-on", "any")
            assert code == 10, err
        assert service.paid().total() == len(service.paid()) + 1  # what was under way at the kill
        statuses = Counter((str(line.status), line.reason) for line in all_lines(service))
        assert statuses["scanned", None] == CONTENTS
        assert {key for key in statuses if key[0] == "failed"} == {("failed", "outcome_unknown")}


@pytest.mark.slow
@pytest.mark.parametrize("files", [24, 28, 32, 36, 40, 48])
async def test_few_file_descriptors_cost_nothing(tmp_path, files):
    async with answering(tmp_path, two_matches) as service:
        tree(service.images, pictures(12))
        code, _, err = await service.run(program=limited("files", files))
        assert "Traceback" not in err
        assert code in (0, 2, 3, 8, 9), err
        await told_by_the_next_run(service, 12, matches=2)


async def test_times_that_no_column_holds_cost_nothing(tmp_path):
    async with answering(tmp_path, two_matches) as service:
        tree(service.images, pictures(3))
        for number, seconds in enumerate((9_223_372_037, 17_179_869_183, -2_147_483_648)):
            os.utime(service.images / f"p{number}.png", (seconds, seconds))
        code, _, err = await service.run()
        assert code == 0, err
        code, out, err = await service.run("--json")
        assert (code, json.loads(out)["files"]["unchanged"]) == (0, 3), err
        assert len(service.asked) == 3
