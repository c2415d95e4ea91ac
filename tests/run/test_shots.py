"""RAW and HEIC files beside the JPEGs of the same shot, through whole scans."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.support.bench import Ran
from tests.support.pictures import tree
from tests.support.processes import Process, all_lines
from tests.support.shots import Shot, next_frame

pytestmark = pytest.mark.slow
COVER = {"renditions": "cover"}


def covered(ran: Ran) -> dict[str, tuple[str, str]]:
    """By which file, and by which rule, each covered one is."""
    return {
        name: (os.path.basename(line.covered_by.path), line.covered_by.rule)
        for name, line in ran.lines.items()
        if line.covered_by is not None
    }


def pairs() -> dict[str, bytes]:
    """Two files of one shot each."""
    pixel, motion, phone = (Shot.of(seed) for seed in (7, 17, 8))
    preview = Shot.of(6, (1080, 720))  # smaller ones are not made use of
    shot = Shot.of(5)
    return {
        "raw/IMG_1.dng": shot.raw(),
        "raw/IMG_1.jpg": shot.jpeg(),
        "preview/IMG_1.dng": preview.raw(preview.jpeg()),
        "preview/IMG_1.jpg": preview.jpeg(),
        "pixel/PXL_1.RAW-01.COVER.jpg": pixel.jpeg(),
        "pixel/PXL_1.RAW-02.ORIGINAL.dng": pixel.raw(),
        "pixel/PXL_2.RAW-01.MP.COVER.jpg": motion.jpeg(),
        "pixel/PXL_2.RAW-02.ORIGINAL.dng": motion.raw(),
        "phone/IMG_1.HEIC": phone.heic(),
        "phone/IMG_1.JPG": phone.jpeg(),
    }


def no_pairs() -> dict[str, bytes]:
    """Two files each of which something says that they are none of one shot."""
    found = {}
    others: dict[str, dict[str, Any]] = {
        "time": {"fraction": "26"},
        "second": {"moment": "2026:11:01 10:00:01"},
        "silent": {"fraction": None},
    }
    for seed, (name, other) in enumerate(others.items(), 20):
        found[f"{name}/a.dng"] = Shot.of(seed).raw()
        found[f"{name}/a.jpg"] = Shot.of(seed, **other).jpeg()
        found[f"{name}/b.heic"] = Shot.of(seed + 40).heic()
        found[f"{name}/b.jpg"] = Shot.of(seed + 40, **other).jpeg()
    scene = Shot.of(30)
    found |= {"folder/a.dng": scene.raw(), "folder/other/a.jpg": scene.jpeg()}
    scene = Shot.of(31)
    found |= {"stem/a.dng": scene.raw(), "stem/a-1.jpg": scene.jpeg()}
    found |= {"picture/a.dng": Shot.of(32).raw(), "picture/a.jpg": Shot.of(33).jpeg()}
    # Frames of a burst that were called by the second, of cameras that measure no fractions.
    for name, fraction in {"none": None, "zeros": "00"}.items():
        scene = Shot.of(34 + len(name), fraction=fraction)
        later = Shot(next_frame(scene.scene), fraction=fraction)
        found |= {f"{name}/20261101_100000.dng": scene.raw()}
        found |= {f"{name}/20261101_100000.jpg": later.jpeg()}
    return found


async def test_both_files_of_a_shot_are_one_picture_and_nothing_else_is(bench):
    tree(bench.images, pairs() | no_pairs())

    dry = await bench.scan(scan=COVER, dry_run=True)
    ran = await bench.scan(scan=COVER)

    assert covered(ran) == {
        "raw/IMG_1.dng": ("IMG_1.jpg", "raw"),
        "preview/IMG_1.dng": ("IMG_1.jpg", "v1"),
        "pixel/PXL_1.RAW-02.ORIGINAL.dng": ("PXL_1.RAW-01.COVER.jpg", "raw"),
        "pixel/PXL_2.RAW-02.ORIGINAL.dng": ("PXL_2.RAW-01.MP.COVER.jpg", "raw"),
        "phone/IMG_1.HEIC": ("IMG_1.JPG", "raw"),
    }, "what is sent as it is stands for its shot"
    assert all(line.covered_by.distance <= 31 for line in ran.lines.values() if line.covered_by)
    assert (ran.lines["phone/IMG_1.HEIC"].width, ran.lines["phone/IMG_1.HEIC"].height) == (600, 400)
    sent = ran.report.files.scanned
    assert dry.report.run.plan.pictures == sent == len(bench.checks()) == len(ran.lines) - 5


@pytest.mark.timeout(240)
async def test_the_file_that_comes_a_day_later_costs_nothing(bench):
    """By the real command, and whatever it is asked for afterwards."""
    shots = [Shot.of(seed) for seed in range(41, 45)]
    first = {"1.dng": shots[0].raw(), "2.HEIC": shots[1].heic()}
    first |= {"3.jpg": shots[2].jpeg(), "4.JPG": shots[3].jpeg()}
    second = {"1.jpg": shots[0].jpeg(), "2.JPG": shots[1].jpeg()}
    second |= {"3.dng": shots[2].raw(), "4.HEIC": shots[3].heic()}
    scanned, covered = dict.fromkeys(first, "scanned"), dict.fromkeys(second, "covered")
    runs = bench.folder / "output" / "runs"

    async def run(*words: str) -> dict[str, str]:
        before = len(all_lines(bench)) if runs.exists() else 0
        code, _, err = await Process(bench).run("--renditions", "cover", "-q", *words)
        assert code == 0, err
        lines = all_lines(bench)[before:]
        return {os.path.basename(line.path): line.status.value for line in lines}

    tree(bench.images, first)
    assert await run() == scanned
    tree(bench.images, second)

    assert await run("-n") == dict.fromkeys(second, "deferred")
    assert await run() == covered
    assert await run() == {}
    assert await run("--rehash") == dict.fromkeys(first, "reused") | covered
    assert len(bench.checks()) == 4
    assert await run("--rescan-after", "1ms") == scanned | covered
    assert await run("--force") == scanned | covered, "about what was asked before"
    assert len(bench.checks()) == 12
