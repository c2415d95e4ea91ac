"""Nothing outside the roots is ever sent: links, names with dots, folders swapped on the way."""

from __future__ import annotations

import hashlib
import os

import pytest

from batchscan.enums import Status
from batchscan.run import Scan
from tests.support.pictures import png, tree

SECRET = png(16, 16, 999)  # a picture that is nobody's business


@pytest.fixture
def outside(bench):
    """A folder beside the root, with a picture in it."""
    return tree(bench.folder / "outside", {"p000.png": SECRET, "deep/secret.png": SECRET})


async def sent(bench, **changes) -> set[str]:
    """The contents that left, by their hashes."""
    await bench.scan(**changes)
    return hashes(bench)


def hashes(bench) -> set[str]:
    return {entry.sha256 for entry in bench.checks()}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def links(bench, outside) -> None:
    """Every kind of link that leads out of the root."""
    os.symlink(outside / "p000.png", bench.images / "file.png")
    os.symlink(outside / "p000.png", bench.images / "bare")  # known by a look inside
    os.symlink(outside, bench.images / "folder")
    os.symlink("../outside", bench.images / "relative")
    os.symlink(bench.images / "file.png", bench.images / "chain.png")
    os.symlink("/proc/self/root" + str(outside), bench.images / "by-proc")
    os.symlink("loop", bench.images / "loop")
    os.symlink("..", bench.images / "up")


async def test_no_link_leads_out_of_the_root(bench, outside):
    bench.pictures(2)
    links(bench, outside)

    assert await sent(bench) == {sha256(png(16, 16, 0)), sha256(png(16, 16, 1))}


async def test_links_are_followed_where_that_was_asked_for(bench, outside):
    bench.pictures(1)
    links(bench, outside)

    assert sha256(SECRET) in await sent(bench, scan={"follow_symlinks": True})


async def test_an_ignore_file_cannot_reach_out_of_its_folder(bench, outside):
    tree(bench.images, {".batchscanignore": b"!../outside/\n!/../outside/p000.png\n../\n"})
    bench.pictures(1)

    assert sha256(SECRET) not in await sent(bench)


async def test_a_list_names_its_files_itself_links_and_dots_included(bench, outside):
    bench.pictures(1)
    os.symlink(outside / "p000.png", bench.images / "link.png")
    names = bench.folder / "names"
    names.write_text(f"{bench.images}/p000.png\n{bench.images}/../images/p000.png\n")
    changes = {"roots": (), "files_from": str(names)}
    assert await sent(bench, **changes) == {sha256(png(16, 16, 0))}

    names.write_text(f"{bench.images}/link.png\n{bench.images}/../outside/deep/secret.png\n")
    ran = await bench.scan(**changes)
    assert hashes(bench) == {sha256(png(16, 16, 0)), sha256(SECRET)}
    assert ran.report.files.seen == 2
    assert ran.report.files.reused == 1  # the same bytes under the second name


async def test_a_folder_of_a_list_is_not_walked(bench, outside):
    names = bench.folder / "names"
    names.write_text(f"{outside}\n{outside}/..\n/\n")

    assert await sent(bench, roots=(), files_from=str(names)) == set()


async def test_state_and_output_are_never_sent_even_inside_a_root(bench):
    bench.pictures(1)
    inside = {"directory": str(bench.images / "output"), "state": str(bench.images / "state")}
    tree(bench.images, {"output/a.png": SECRET, "state/b.png": SECRET})
    async with Scan(bench.settings(output=inside), bench.clock) as run:
        assert len([outcome async for outcome in run]) == 1

    assert hashes(bench) == {sha256(png(16, 16, 0))}


async def test_a_file_swapped_for_a_link_after_it_was_found_is_not_sent(bench_with, outside_of):
    async with bench_with(latency=0.3) as bench:
        await swapped_while_the_first_is_sent(bench, "z.png", outside_of(bench) / "p000.png")


@pytest.fixture
def outside_of():
    return lambda bench: tree(bench.folder / "outside", {"p000.png": SECRET, "b/p000.png": SECRET})


async def swapped_while_the_first_is_sent(bench, name: str, target) -> None:
    """Scan pictures one after the other, and put a link in the place of one that was found."""
    names = ("a.png", "b.png", "m.png", "n.png", "z.png", "zz/p000.png")  # in the walk's order
    tree(bench.images, {each: png(16, 16, number) for number, each in enumerate(names, 1)})
    swapped = False
    async with Scan(bench.settings(pace={"concurrency": 1}), bench.clock) as run:
        async for outcome in run:
            if not swapped and outcome.status is Status.SCANNED:
                place = bench.images / name
                os.rename(place, bench.folder / "moved")
                os.symlink(target, place)
                swapped = True

    assert swapped
    assert sha256(png(16, 16, 1)) in hashes(bench)
    assert sha256(SECRET) not in hashes(bench)
    assert not run.report.files.unreadable_folders or run.exit_code == 3


async def test_a_folder_swapped_for_a_link_after_it_was_found_takes_nothing_out(bench_with):
    async with bench_with(latency=0.3) as bench:
        names = [f"c/p{number}.png" for number in range(6)]  # one block of the walk
        tree(bench.images, {name: png(16, 16, number) for number, name in enumerate(names)})
        foreign = tree(bench.folder / "outside", dict.fromkeys(names, SECRET))
        swapped = False
        async with Scan(bench.settings(pace={"concurrency": 1}), bench.clock) as run:
            async for outcome in run:
                if not swapped and outcome.status is Status.SCANNED:
                    os.rename(bench.images / "c", bench.folder / "moved")
                    os.symlink(foreign / "c", bench.images / "c")
                    swapped = True

        assert swapped
        assert sha256(png(16, 16, 0)) in hashes(bench)
        assert sha256(SECRET) not in hashes(bench)
