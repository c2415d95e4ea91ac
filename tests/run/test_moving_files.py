"""Files and folders that change, go away or turn into links while a run is on."""

from __future__ import annotations

import itertools
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from batchscan import Scan
from tests.support.bench import Bench, Ran
from tests.support.pictures import png, tree

ONE = {"concurrency": 1}  # at most three files are past the walk when the first is decided


async def scan(bench: Bench, meanwhile: Callable[[], object], **changes) -> Ran:
    """Scan one file after the other; something happens when the first is decided."""
    changes.setdefault("pace", ONE)
    async with Scan(bench.settings(**changes), bench.clock) as run:
        decided = 0
        async for _ in run:
            decided += 1
            if decided == 1:
                meanwhile()
    return bench.ran(run.report)


def sent(bench: Bench) -> set[str]:
    return {str(entry.sha256) for entry in bench.checks()}


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


async def test_a_file_replaced_before_its_turn_is_judged_by_what_it_is_then(bench):
    bench.pictures(12)
    new = png(16, 16, 99)
    ran = await scan(bench, lambda: (bench.images / "p011.png").write_bytes(new))

    assert ran.exit_code == 0
    assert ran.lines["p011.png"].sha256 == digest(new)
    assert digest(new) in sent(bench)
    assert digest(png(16, 16, 11)) not in sent(bench)
    again = await bench.scan()
    assert again.report.files.unchanged == 12


@pytest.mark.parametrize(("data", "reason"), [(b"", "empty"), (b"junk", "not_an_image")])
async def test_a_file_that_is_broken_before_its_turn_is_rejected_and_taken_when_mended(
    bench, data, reason
):
    bench.pictures(12)
    ran = await scan(bench, lambda: (bench.images / "p011.png").write_bytes(data))

    assert (ran.exit_code, ran.reasons()) == (0, {reason: 1})
    bench.pictures(1, start=11)
    again = await bench.scan()
    assert again.statuses() == {"scanned": 1}


@contextmanager
def always_replaced(path: Path, states: list[bytes]) -> Iterator[None]:
    """Put one state of a file after the other in its place, as fast as it goes."""
    quiet, aside = threading.Event(), path.parent.parent / "aside"

    def change() -> None:
        for turn, data in enumerate(itertools.cycle(states), 1):
            aside.write_bytes(data)
            aside.replace(path)
            os.utime(path, ns=(turn, turn))
            if quiet.is_set():
                return

    changing = threading.Thread(target=change)
    changing.start()
    try:
        yield
    finally:
        quiet.set()
        changing.join()


async def test_a_file_that_changes_all_the_time_is_sent_as_it_was_once_or_not_at_all(bench):
    states = [png(400, 400, seed) for seed in (50, 51)]
    busy = bench.images / "busy.png"
    busy.write_bytes(states[0])
    endings = ((None, 0), ("changed_while_reading", 3), ("vanished", 3))
    with always_replaced(busy, states):
        for _ in range(5):
            ran = await bench.scan(rehash=True)
            assert (ran.lines["busy.png"].reason, ran.exit_code) in endings
    quiet = await bench.scan(rehash=True)

    assert quiet.exit_code == 0
    assert quiet.lines["busy.png"].sha256 == digest(busy.read_bytes())
    assert sent(bench) <= set(map(digest, states))
    assert bench.charged() == len(sent(bench))


async def test_files_that_are_gone_when_their_turn_comes_fail_and_are_gone_in_the_next_run(bench):
    bench.pictures(12)
    ran = await scan(bench, lambda: [(bench.images / f"p{n:03}.png").unlink() for n in (10, 11)])

    assert ran.exit_code == 3
    assert ran.reasons() == {"vanished": 2}
    again = await bench.scan()
    assert (again.exit_code, again.report.files.seen) == (0, 10)


async def test_files_of_a_folder_that_is_removed_fail_and_are_gone_in_the_next_run(bench):
    tree(bench.images, {f"a/p{n:02}.png": png(16, 16, n) for n in range(12)})
    tree(bench.images, {"b/x.png": png(16, 16, 98), "b/c/y.png": png(16, 16, 99)})
    ran = await scan(bench, lambda: shutil.rmtree(bench.images / "b"))

    assert ran.exit_code == 3
    assert (ran.statuses()["scanned"], ran.reasons()) == (12, {"vanished": 2})
    again = await bench.scan()
    assert (again.exit_code, again.report.files.seen) == (0, 12)


async def test_a_root_removed_during_the_run_is_never_reported_clean(bench):
    tree(bench.images, {f"a/p{n:02}.png": png(16, 16, n) for n in range(12)})
    ran = await scan(bench, lambda: shutil.rmtree(bench.images))

    assert ran.exit_code == 3
    assert ran.statuses()["scanned"] == bench.charged() < 12
    assert set(ran.reasons()) == {"vanished"}
    bench.images.mkdir()
    empty = await bench.scan()
    assert empty.exit_code == 3
    assert empty.report.files.empty_roots == [str(bench.images)]


def secret_place(bench: Bench) -> tuple[Path, str]:
    """A picture outside the roots, which nobody asked about."""
    outside = tree(bench.folder / "private", {"p11.png": png(16, 16, 77)})
    return outside, digest(png(16, 16, 77))


async def test_a_link_put_in_a_files_place_after_the_walk_is_not_followed(bench):
    outside, secret = secret_place(bench)
    tree(bench.images, {f"p{n:02}.png": png(16, 16, n) for n in range(12)})

    def swap() -> None:
        (bench.images / "p11.png").unlink()
        (bench.images / "p11.png").symlink_to(outside / "p11.png")

    ran = await scan(bench, swap)

    assert ran.exit_code == 3
    assert ran.reasons() == {"unreadable": 1}
    assert "links are not followed" in str(ran.lines["p11.png"].detail)
    assert secret not in sent(bench)
    again = await bench.scan()
    assert (again.exit_code, again.report.files.ignored) == (0, 1)


async def test_a_fifo_put_in_a_files_place_after_the_walk_is_not_waited_for(bench):
    bench.pictures(12)

    def swap() -> None:
        (bench.images / "p011.png").unlink()
        os.mkfifo(bench.images / "p011.png")

    ran = await scan(bench, swap)

    assert ran.exit_code == 3
    assert ran.reasons() == {"unreadable": 1}


@pytest.mark.parametrize("swapped", ["file", "folder"])
async def test_links_that_come_while_links_are_followed_are_followed(bench, swapped):
    outside, secret = secret_place(bench)
    tree(bench.images, {f"a/p{n:02}.png": png(16, 16, n) for n in range(12)})

    def swap() -> None:
        if swapped == "file":
            (bench.images / "a" / "p11.png").unlink()
            (bench.images / "a" / "p11.png").symlink_to(outside / "p11.png")
        else:
            (bench.images / "a").rename(bench.images / "moved")
            (bench.images / "a").symlink_to(outside)

    await scan(bench, swap, scan={"follow_symlinks": True})

    assert secret in sent(bench)
