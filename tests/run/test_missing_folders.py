"""Disks that are not mounted, and folders that were deleted, below a root."""

from __future__ import annotations

import asyncio
import shutil

import pytest

from tests.support.pictures import png, tree


async def command(*words) -> int:
    process = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.DEVNULL)
    return await process.wait()


def fill(bench, *folders: str) -> None:
    files = {
        f"{folder}/{n}.png": png(8 + n, 8 + at) for at, folder in enumerate(folders) for n in (0, 1)
    }
    tree(bench.images, files)


async def test_a_deleted_folder_is_reported_once(bench):
    fill(bench, "here", "a/b/c", "a/b/d")
    assert (await bench.scan()).exit_code == 0
    shutil.rmtree(bench.images / "a")
    ran = await bench.scan()
    assert ran.exit_code == 3
    assert ran.report.files.empty_roots == [str(bench.images / "a")]

    again = await bench.scan()
    assert (again.exit_code, again.report.files.empty_roots) == (0, [])


@pytest.mark.parametrize("renditions", ["report", "cover"])
async def test_a_folder_that_was_renamed_is_not_missing(bench, renditions):
    fill(bench, "here", "a/b", "a/c")
    (bench.images / "a" / "b" / "broken.png").write_bytes(b"no picture")
    await bench.scan(scan={"renditions": renditions})
    (bench.images / "a").rename(bench.images / "z")
    ran = await bench.scan(scan={"renditions": renditions})
    assert (ran.exit_code, ran.report.files.empty_roots) == (0, [])
    assert bench.charged() == 6

    again = await bench.scan(scan={"renditions": renditions})
    assert (again.exit_code, again.report.files.empty_roots) == (0, [])


async def test_a_folder_that_was_renamed_and_lost_a_picture_is_missing(bench):
    fill(bench, "here", "a")
    await bench.scan()
    (bench.images / "a").rename(bench.images / "z")
    (bench.images / "z" / "1.png").unlink()
    ran = await bench.scan()
    assert (ran.exit_code, ran.report.files.empty_roots) == (3, [str(bench.images / "a")])


async def test_copies_that_were_deleted_before_do_not_make_a_folder_moved(bench):
    tree(bench.images, {"here/0.png": png(9, 9), "a/1.png": png(8, 8), "b/2.png": png(8, 8)})
    (bench.images / "b" / "3.png").write_bytes(png(7, 7))
    await bench.scan()
    (bench.images / "b" / "2.png").unlink()
    shutil.rmtree(bench.images / "a")
    ran = await bench.scan()
    assert (ran.exit_code, ran.report.files.empty_roots) == (3, [str(bench.images / "a")])


async def test_a_folder_that_came_back_and_went_again_is_reported_again(bench):
    fill(bench, "here", "away")
    await bench.scan()
    shutil.move(bench.images / "away", bench.folder / "kept")
    assert (await bench.scan()).exit_code == 3
    shutil.move(bench.folder / "kept", bench.images / "away")
    assert (await bench.scan()).exit_code == 0
    shutil.rmtree(bench.images / "away")
    ran = await bench.scan()
    assert (ran.exit_code, ran.report.files.empty_roots) == (3, [str(bench.images / "away")])


async def test_what_is_left_out_or_lost_its_pictures_one_by_one_is_not_missing(bench):
    fill(bench, "here", "drafts", "sorted")
    (bench.images / "sorted" / "notes.txt").write_text("x")
    await bench.scan()
    for path in (bench.images / "sorted").glob("*.png"):
        path.unlink()
    ran = await bench.scan(scan={"exclude": ("drafts/",)})
    assert (ran.exit_code, ran.report.files.empty_roots) == (0, [])


async def test_a_dry_run_reports_it_and_leaves_it_for_the_scan(bench):
    fill(bench, "here", "away")
    await bench.scan()
    shutil.rmtree(bench.images / "away")
    dry = await bench.scan(dry_run=True)
    assert dry.report.files.empty_roots == [str(bench.images / "away")]
    assert (await bench.scan()).exit_code == 3


async def test_a_disk_below_a_root_that_is_not_mounted_is_reported_in_every_run(bench):
    disk = bench.images / "archive" / "disk"
    disk.mkdir(parents=True)
    if await command("mount", "-t", "tmpfs", "-o", "size=1m", "batchscan-test", disk):
        pytest.skip("no file system can be mounted here")
    try:
        fill(bench, "here", "archive/disk/2025", "archive/disk/2026")
        first = await bench.scan()
    finally:
        assert await command("umount", disk) == 0
    assert first.statuses() == {"scanned": 6}
    for _ in range(2):
        ran = await bench.scan()
        assert ran.exit_code == 3
        assert ran.report.files.empty_roots == [str(disk)]
    disk.rmdir()  # as automounters do
    ran = await bench.scan()
    assert ran.exit_code == 3
    assert ran.report.files.empty_roots == [str(bench.images / "archive")]
