"""Answers that need more memory than there is: kept, paid once, and no end of every later run."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import pytest

from batchscan.commands.state_check import check
from tests.support import killing
from tests.support.answering import LATER, Service, answering, match, said
from tests.support.limits import limited
from tests.support.peaks import MEASURED, MIB, peak_memory
from tests.support.photographs import encoded, photograph, resized
from tests.support.pictures import png, tree
from tests.support.processes import all_lines

LONG = 1_000  # matches
HUGE = 30_000
GROWTH = 150  # MiB, of which one answer is the most
PADDED = 30  # MiB of an answer
# One is read twice over while the next is received; the C library keeps one or two that were freed.
PADDED_GROWTH = 5 * PADDED
FAMILIES = 12
# Has no memory for the answer's text, or for the line made of it.
LACKING = """
import sys
from batchscan.cli import main
from batchscan.pipeline import settlement

def lacking(*_, **__):
    raise MemoryError

name = "parse_answer" if sys.argv[1] == "reading" else "with_matches"
setattr(settlement, name, lacking)
sys.exit(main(sys.argv[2:]))
"""


def long_or_small(name: str, scan_id: str) -> bytes:
    return said(scan_id, *map(match, range(LONG if name == "long" else 1)))


def huge_or_small(name: str, scan_id: str) -> bytes:
    return said(scan_id, *map(match, range(HUGE if name.startswith("huge") else 1)))


def padded_or_small(name: str, scan_id: str) -> bytes:
    if not name.startswith("huge"):
        return said(scan_id, match(0))
    return gzip.compress(said(scan_id, match(0), padding="a" * PADDED * MIB), 1)


def pictures(*names: str) -> dict[str, bytes]:
    return {f"{name}.png": png(16, 16, number) for number, name in enumerate(names)}


async def killed(service: Service, point: str, nth: int = 1) -> None:
    code, _, err = await service.run(
        "-j", "1", program=(str(Path(killing.__file__)), point, str(nth))
    )
    assert code < 0, err


def problems(service: Service) -> list[str]:
    return [each.detail for each in check(service.folder / "state") if each.level == "problem"]


@pytest.mark.parametrize("again", [pytest.param("rereading", marks=pytest.mark.slow), "remaking"])
async def test_an_answer_that_ends_two_runs_is_not_read_by_a_third(tmp_path, again):
    async with answering(tmp_path, long_or_small) as service:
        tree(service.images, pictures("long", "one", "two"))
        await killed(service, "reading" if again == "rereading" else "line-made")
        for _ in range(2 if again == "remaking" else 1):
            await killed(service, again)
        for _ in range(2):
            code, _, err = await service.run()
            assert code == 3, err
            line = service.last_lines()["long.png"]
            assert (line.status, line.reason, line.matches) == ("failed", "bad_response", [])
            assert "batchscan crashed twice while reading" in line.detail
        assert len(service.asked) == len(service.paid()) == 3
        assert problems(service) == []

        later = tmp_path / "later.py"
        later.write_text(LATER)
        code, _, err = await service.run(program=(str(later),))
        assert code == 0, err
        assert len(service.last_lines()["long.png"].matches) == LONG
        assert len(service.asked) == 3


@pytest.mark.slow
async def test_one_that_ended_runs_is_asked_again_by_force(tmp_path):
    async with answering(tmp_path, long_or_small) as service:
        tree(service.images, pictures("long"))
        await killed(service, "reading")
        await killed(service, "rereading")
        assert (await service.run())[0] == 3
        code, _, err = await service.run("--force")
        assert code == 0, err
        assert len(service.last_lines()["long.png"].matches) == LONG
        assert len(service.asked) == 2


@pytest.mark.slow
async def test_one_whose_line_ended_one_run_has_its_line_made_by_the_next(tmp_path):
    async with answering(tmp_path, long_or_small) as service:
        tree(service.images, pictures("long"))
        await killed(service, "line-made")
        await killed(service, "remaking")
        code, _, err = await service.run()
        assert code == 0, err
        (line,) = all_lines(service)
        assert (line.status, len(line.matches)) == ("scanned", LONG), line.detail
        assert len(service.asked) == 1


@pytest.mark.slow
async def test_one_that_ended_one_run_is_read_by_the_next(tmp_path):
    async with answering(tmp_path, long_or_small) as service:
        tree(service.images, pictures("long"))
        await killed(service, "reading")
        code, out, err = await service.run("--json", "--fail-on", "any")
        assert code == 10, err
        assert json.loads(out)["matches"]["total"] == LONG
        assert len(service.asked) == 1


ADDRESSES = pytest.mark.skipif(sys.platform != "linux", reason="Linux limits address space")


@ADDRESSES
async def test_a_scan_that_its_libraries_would_end_is_not_begun(tmp_path):
    async with answering(tmp_path, long_or_small) as service:
        tree(service.images, pictures("one"))
        code, _, err = await service.run(program=limited("memory", 300 * MIB), forks=False)
        assert code == 2
        assert "the system allows 300 MiB of memory" in err
        assert service.asked == []


@pytest.mark.slow
@pytest.mark.timeout(300)
@ADDRESSES
@pytest.mark.parametrize("room", [450 * MIB, 550 * MIB])
async def test_too_little_memory_for_a_huge_answer_costs_nothing(tmp_path, room):
    async with answering(tmp_path, huge_or_small) as service:
        tree(service.images, pictures("one", "huge", "two"))
        code, _, err = await service.run("-j", "1", program=limited("memory", room), forks=False)
        assert code in (0, 3, 9), err
        assert "this is a bug" not in err
        assert code != 9 or "not enough memory" in err
        code, out, err = await service.run("--json", "--fail-on", "any")
        assert code == 10, err
        assert json.loads(out)["matches"]["total"] == HUGE + 2
        assert sum(service.paid().values()) == len(service.paid()) == 3
        assert problems(service) == []


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("first", ["reading", "line-made"])
async def test_a_run_that_has_no_memory_left_says_so(tmp_path, first):
    async with answering(tmp_path, long_or_small) as service:
        tree(service.images, pictures("long", "one", "two"))
        lacking = tmp_path / "lacking.py"
        lacking.write_text(LACKING)
        code, _, err = await service.run("-j", "1", program=(str(lacking), first))
        assert code == (3 if first == "reading" else 9), err
        assert "this is a bug" not in err
        assert first == "reading" or "not enough memory" in err
        assert (await service.run())[0] == 0
        assert sum(service.paid().values()) == len(service.paid()) == 3
        assert sum(len(line.matches) for line in all_lines(service)) >= LONG + 2


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("reused", [False, True])
@pytest.mark.parametrize(
    ("answer", "growth"), [(huge_or_small, GROWTH), (padded_or_small, PADDED_GROWTH)]
)
async def test_huge_answers_are_in_memory_one_at_a_time(tmp_path, reused, answer, growth):
    async def most(*names: str) -> float:
        """The memory that a run over such pictures takes, in MiB."""
        folder = tmp_path / names[0]
        folder.mkdir()
        (folder / "measured.py").write_text(MEASURED.format(path=str(folder / "most")))
        async with answering(folder, answer) as service:
            tree(service.images, pictures(*names))
            code, _, err = await service.run(program=(str(folder / "measured.py"),), forks=False)
            assert code == 0, err
            assert sum(len(line.matches) for line in service.last_lines().values()) >= len(names)
            if reused:
                copies = service.images / "copies"
                tree(copies, {f"again-{name}": data for name, data in pictures(*names).items()})
                code, _, err = await service.run(
                    program=(str(folder / "measured.py"),), forks=False
                )
                assert code == 0, err
                lines = service.last_lines().values()
                assert {line.status for line in lines} == {"reused"}
                assert len(service.asked) == len(lines) == len(names)
        return peak_memory(folder)

    small = await most("one", "two", "three", "four")
    grown = await most(*(f"huge{n}" for n in range(8))) - small
    assert grown < growth


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("answer", "before"),
    [(padded_or_small, False), (huge_or_small, True)],
    ids=["in one run", "answered before"],
)
async def test_huge_answers_cover_versions_one_at_a_time(tmp_path, answer, before):
    async def most(name: str) -> float:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "measured.py").write_text(MEASURED.format(path=str(folder / "most")))
        originals = [photograph(seed, (300, 240)) for seed in range(FAMILIES)]
        async with answering(folder, answer) as service:
            for number, original in enumerate(originals):
                tree(service.images, {f"{name}{number}.png": encoded(original, "PNG")})
            if before:
                assert (await service.run("--renditions", "report"))[0] == 0
            for number, original in enumerate(originals):
                small = encoded(resized(original, 240), "PNG")
                tree(service.images, {f"{name}{number}-small.png": small})
            program = (str(folder / "measured.py"),)
            code, _, err = await service.run("--renditions", "cover", program=program, forks=False)
            assert code == 0, err
            lines = service.last_lines().values()
            assert [line.status for line in lines].count("covered") == FAMILIES
            assert len(service.asked) == FAMILIES
            matches = HUGE if name == "huge" and answer is huge_or_small else 1
            assert {len(line.matches) for line in lines} == {matches}
        return peak_memory(folder)

    small = await most("small")
    assert await most("huge") - small < (GROWTH if answer is huge_or_small else PADDED_GROWTH)
