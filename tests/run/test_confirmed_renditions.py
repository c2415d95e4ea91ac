"""With `--renditions cover`, pixels decide: thumbnails that agree are not enough."""

from __future__ import annotations

import random

import pytest

from batchscan.images.judge import Judge
from batchscan.images.rules import Accepted, Rules
from batchscan.renditions.rule import likeness
from tests.support.photographs import encoded, photograph
from tests.support.pictures import tree
from tests.support.retouching import other_digits

COVER = {"renditions": "cover"}
ONE, OTHER = other_digits("16.95", "18.95", 0.03)(photograph(202, (900, 1200)))
FILES = {
    "a.jpg": encoded(ONE, quality=92),
    "a-low.jpg": encoded(ONE, quality=70),
    "other.jpg": encoded(OTHER, quality=92),
    "other-low.jpg": encoded(OTHER, quality=60),
}
"""Two photographs that differ in one digit of a price, and another version of each."""

COVERED = {"a-low.jpg": "a.jpg", "other-low.jpg": "other.jpg"}


def groups(ran) -> dict[str, str]:
    """Which file covers which, by their names."""
    return {
        name: line.covered_by.path.rpartition("/")[2]
        for name, line in ran.lines.items()
        if line.covered_by is not None
    }


def test_the_thumbnails_of_both_photographs_agree():
    judge = Judge(Rules(fingerprints=True))
    verdicts = [judge.judge(FILES[name], name) for name in ("a.jpg", "other.jpg")]
    one, other = (each.fingerprint for each in verdicts if isinstance(each, Accepted))
    judge.close()

    assert one is not None
    assert other is not None
    assert likeness(one, other).same


@pytest.mark.parametrize("seed", range(2))
async def test_an_edit_is_asked_about_and_covers_its_own_versions(bench, seed):
    names = list(FILES)
    random.Random(seed).shuffle(names)
    tree(bench.images, FILES)
    listed = bench.folder / "list"
    listed.write_text("".join(f"{bench.images / name}\n" for name in names))

    ran = await bench.scan(scan=COVER, roots=(), files_from=str(listed))

    assert groups(ran) == COVERED
    assert len(bench.checks()) == 2


async def test_a_dry_run_compares_as_the_scan_does_and_the_default_counts_what_may_be_saved(bench):
    tree(bench.images, FILES)

    planned = await bench.scan(scan=COVER, dry_run=True)
    counted = await bench.scan(dry_run=True)

    assert planned.report.files.renditions == len(COVERED)
    assert planned.report.credits.expected == 2
    assert (counted.report.files.renditions or 0) > len(COVERED)


async def test_an_edit_that_comes_later_is_asked_about_once(bench):
    tree(bench.images, {name: FILES[name] for name in ("a.jpg", "a-low.jpg")})
    await bench.scan(scan=COVER)
    tree(bench.images, {"other.jpg": FILES["other.jpg"]})

    ran = await bench.scan(scan=COVER)
    again = await bench.scan(scan=COVER)
    moved = bench.images / "moved.jpg"
    (bench.images / "other.jpg").rename(moved)
    known = await bench.scan(scan=COVER)

    assert ran.lines["other.jpg"].status == "scanned"
    assert again.report.files.unchanged == 3
    assert known.lines["moved.jpg"].status == "reused"
    assert len(bench.checks()) == 2


async def test_a_version_of_a_picture_that_is_gone_is_asked_about(bench):
    tree(bench.images, {"a.jpg": FILES["a.jpg"]})
    await bench.scan(scan=COVER)
    (bench.images / "a.jpg").unlink()
    tree(bench.images, {"a-low.jpg": FILES["a-low.jpg"]})

    ran = await bench.scan(scan=COVER)

    assert ran.lines["a-low.jpg"].status == "scanned"
