"""Whole scans of folders that hold several versions of each picture."""

from __future__ import annotations

import json
import os
import random
import re
from typing import Any

import pytest
from PIL import Image

from batchscan import Scan
from batchscan.commands.renditions import as_json, as_text, join, split
from batchscan.emulator import Fault
from batchscan.emulator.fault_actions import AnswerInstead
from batchscan.enums import Status
from batchscan.errors import UsageError
from tests.support.bench import FAST
from tests.support.clocks import DAY, LaterClock
from tests.support.inside import connection_of
from tests.support.photographs import encoded, photograph, resized, screenshot
from tests.support.pictures import animated_gif, tree

COVER = {"renditions": "cover"}
ONE = {"concurrency": 1, "rate": FAST}


def versions(name: str, seed: int) -> dict[str, bytes]:
    """An upload as WordPress keeps it."""
    original = photograph(seed, (800, 600))
    files = {f"{name}.jpg": encoded(original, quality=92)}
    for width in (640, 400, 300):
        small = resized(original, width)
        files[f"{name}-{small.width}x{small.height}.jpg"] = encoded(small, quality=82)
    return files


A, B = versions("a", 1), versions("b", 2)
SHOT = {"shot.png": encoded(screenshot(1, (720, 450)), "PNG")}
ORIGINALS = {"a.jpg", "b.jpg", "shot.png"}


def groups(ran) -> dict[str, str]:
    """Which file covers which, by their names."""
    return {
        name: os.path.basename(line.covered_by.path)
        for name, line in ran.lines.items()
        if line.covered_by is not None
    }


def expected(*names: str) -> dict[str, str]:
    return {each: f"{name}.jpg" for name in names for each in {"a": A, "b": B}[name]
            if each != f"{name}.jpg"}  # fmt: skip


async def test_by_default_all_versions_are_asked_about_and_possible_savings_reported(bench):
    tree(bench.images, A | B | SHOT)

    dry = await bench.scan(dry_run=True)
    ran = await bench.scan()

    for report in (dry.report, ran.report):
        assert (report.files.renditions, report.files.renditions_credits) == (6, 6)
        assert report.run.renditions == "report"
    assert ran.statuses() == {"scanned": 9}
    assert all(line.covered_by is None for line in ran.lines.values())
    again = await bench.scan()
    assert again.report.files.renditions == 0, "nothing was asked about"
    tree(bench.images, {"again.jpg": encoded(photograph(1, (800, 600)), quality=70)})
    late = await bench.scan()
    assert late.report.files.renditions == 1, "a version of what was answered before"


async def test_one_of_each_group_is_asked_about_and_covers_the_others(bench):
    tree(bench.images, A | B | SHOT)

    ran = await bench.scan(scan=COVER)

    assert groups(ran) == expected("a", "b")
    assert {name for name, line in ran.lines.items() if line.status == "scanned"} == ORIGINALS
    assert (ran.report.files.covered, ran.report.files.renditions) == (6, 6)
    assert ran.report.files.checked == 9
    assert ran.report.credits.charged == len(bench.checks()) == 3
    line, by = ran.lines["a-300x225.jpg"], ran.lines["a.jpg"]
    assert line.covered_by.sha256 == by.sha256
    assert (line.covered_by.rule, line.credits, line.attempts) == ("v1", 0, 0)
    assert line.covered_by.distance <= 15
    assert line.covered_by.difference <= 16
    assert (line.scan_id, line.scanned_at, line.score) == (by.scan_id, by.scanned_at, by.score)
    assert (line.width, line.height) == (300, 225)
    again = await bench.scan(scan=COVER)
    assert (again.report.files.unchanged, len(bench.checks())) == (9, 3)


async def test_matches_are_in_each_results_line_and_once_in_the_report(bench_with, tmp_path):
    web = tmp_path / "web"
    tree(web, {"copy.jpg": A["a-640x480.jpg"]})
    async with bench_with(search=True, web=web) as bench:
        tree(bench.images, A)

        ran = await bench.scan(scan=COVER)

        found = {len(line.matches) for line in ran.lines.values()}
        assert found == {len(ran.lines["a.jpg"].matches)}
        assert found != {0}
        assert ran.report.matches.images_with_matches == 1
        for later in (ran, await bench.scan(scan=COVER)):
            assert [os.path.basename(each.path) for each in later.report.images] == ["a.jpg"]


@pytest.mark.parametrize("seed", range(3))
async def test_groups_are_the_same_in_any_order_and_with_any_concurrency(bench, seed):
    names = list(A | B | SHOT)
    random.Random(seed).shuffle(names)
    tree(bench.images, A | B | SHOT)
    listed = bench.folder / "list"
    listed.write_text("".join(f"{bench.images / name}\n" for name in names))

    ran = await bench.scan(
        scan=COVER,
        roots=(),
        files_from=str(listed),
        pace={"concurrency": 1 + 7 * seed, "rate": FAST},
    )

    assert groups(ran) == expected("a", "b")


async def test_a_better_version_that_comes_later_is_covered_and_says_so(bench):
    tree(bench.images, {"a-640x480.jpg": A["a-640x480.jpg"]})
    await bench.scan(scan=COVER)
    tree(bench.images, A)

    ran = await bench.scan(scan=COVER)

    assert set(groups(ran).values()) == {"a-640x480.jpg"}
    assert len(groups(ran)) == 3
    assert ran.lines["a.jpg"].warnings == ["larger_than_the_version_asked_about"]
    assert ran.lines["a-300x225.jpg"].warnings == []
    assert len(bench.checks()) == 1


async def test_what_was_asked_about_before_covers_what_comes_and_stays_asked(bench):
    tree(bench.images, {name: A[name] for name in ("a.jpg", "a-400x300.jpg")})
    await bench.scan()
    tree(bench.images, {name: A[name] for name in ("a-640x480.jpg", "a-300x225.jpg")})

    ran = await bench.scan(scan=COVER)

    assert set(groups(ran)) == {"a-640x480.jpg", "a-300x225.jpg"}
    assert set(groups(ran).values()) == {"a.jpg"}
    assert ran.report.files.unchanged == 2


async def test_answers_from_before_there_were_fingerprints_cover_too(bench):
    tree(bench.images, {"a.jpg": A["a.jpg"]})
    await bench.scan(scan={"renditions": "ask"})
    tree(bench.images, A)

    assert groups(await bench.scan(scan=COVER)) == expected("a")


@pytest.mark.parametrize(
    "fault",
    [
        AnswerInstead(status=500),
        AnswerInstead(status=415, code=10),
        AnswerInstead(status=200, body="garbage"),
    ],
    ids=["fails", "is rejected", "is answered in a way that nobody can read"],
)
async def test_a_representative_without_an_answer_frees_its_group(bench, fault):
    tree(bench.images, A)
    bench.emulator.faults = (Fault(route="check", action=fault, file_name="a.jpg"),)

    ran = await bench.scan(scan=COVER)

    assert ran.lines["a.jpg"].status in ("failed", "rejected")
    assert ran.lines["a-640x480.jpg"].status == Status.SCANNED
    assert groups(ran) == {"a-400x300.jpg": "a-640x480.jpg", "a-300x225.jpg": "a-640x480.jpg"}


FACTS = ("status", "reason", "warnings", "bytes", "sha256", "format", "width", "height", "sent")


@pytest.mark.slow
async def test_what_is_inspected_before_it_is_sent_is_sent_as_without_cover(bench):
    """Its verdict is kept until then, and what was made of it."""
    small = photograph(4, (400, 300))
    odd = os.fsdecode(b"photo-\xff.jp\xff")
    tree(
        bench.images,
        {
            "plain.jpg": encoded(photograph(1, (400, 300))),
            "named.png": encoded(photograph(2, (400, 300))),
            odd: encoded(photograph(3, (400, 300))),
            "made.tif": encoded(small, "TIFF", compression="tiff_deflate"),
            "grey.tif": encoded(photograph(5, (400, 300)).convert("L"), "TIFF"),
            "exif.jpg": taken(photograph(6, (400, 300)), "2026:11:01 10:00:00", "250"),
            "moving.gif": animated_gif(200, 150),
            "cut.jpg": encoded(photograph(7, (400, 300)))[:-2],
        },
    )
    ask = await bench.scan(scan={"renditions": "ask"})
    sent = [check.sha256 for check in bench.checks()]

    cover = await bench.scan(scan=COVER, force=True)

    assert {n: [getattr(line, fact) for fact in FACTS] for n, line in cover.lines.items()} == {
        n: [getattr(line, fact) for fact in FACTS] for n, line in ask.lines.items()
    }
    assert sorted(sent) == sorted(check.sha256 for check in bench.checks()[len(sent) :])
    assert cover.statuses() == {"scanned": 8}


async def test_a_representative_that_vanishes_or_changes_frees_its_group(bench):
    larger = {f"{n}.jpg": encoded(photograph(n, (1200 - 10 * n, 900))) for n in range(10, 15)}
    tree(bench.images, A | B | larger)

    async with Scan(bench.settings(scan=COVER, pace=ONE)) as run:
        async for outcome in run:  # the largest come first, when all have been looked at
            if os.path.basename(outcome.subject.path) == "10.jpg":
                (bench.images / "a.jpg").unlink()
                tree(bench.images, {"b.jpg": encoded(photograph(3, (800, 600)))})
    ran = bench.ran(run.report)

    assert ran.lines["a.jpg"].reason == "vanished"
    assert ran.lines["b.jpg"].status == Status.SCANNED, "as it is now"
    assert set(groups(ran).values()) == {"a-640x480.jpg", "b-640x480.jpg"}


async def test_twins_are_reused_and_moved_versions_stay_covered(bench):
    tree(bench.images, A | {f"twin/{name}": data for name, data in A.items()})

    ran = await bench.scan(scan=COVER)

    assert ran.statuses() == {"scanned": 1, "covered": 6, "reused": 1}
    (bench.images / "a-300x225.jpg").rename(bench.images / "moved.jpg")
    (bench.images / "a.jpg").unlink()
    (bench.images / "twin" / "a.jpg").unlink()
    again = await bench.scan(scan=COVER)
    assert groups(again) == {"moved.jpg": "a.jpg"}
    assert len(bench.checks()) == 1


async def test_without_cover_what_was_covered_is_asked_about(bench):
    tree(bench.images, A)
    await bench.scan(scan=COVER)

    ran = await bench.scan(scan={"renditions": "ask"})

    assert ran.statuses() == {"scanned": 3}
    assert ran.report.files.unchanged == 1
    assert ran.report.files.renditions is None
    assert (await bench.scan(scan=COVER)).report.files.unchanged == 4


async def test_a_dry_run_plans_by_the_same_rule_and_writes_nothing(bench):
    tree(bench.images, A | B | SHOT)

    dry = await bench.scan(scan=COVER, dry_run=True)

    assert (dry.report.run.plan.pictures, dry.report.credits.expected) == (3, 3)
    assert (dry.report.files.deferred, dry.report.files.renditions) == (9, 6)
    assert not (bench.folder / "state").exists()
    detail = dry.lines["a-300x225.jpg"].detail
    assert (
        detail == f"would be covered by the answer of {bench.images / 'a.jpg'}, which would be sent"
    )


async def test_what_the_budget_leaves_over_is_put_off_and_not_covered_by_nothing(bench):
    tree(bench.images, A | B)

    ran = await bench.scan(scan=COVER, spend={"max_credits": 1}, pace=ONE)

    assert ran.statuses()["scanned"] == 1
    assert set(groups(ran).values()) <= {
        n for n, line in ran.lines.items() if line.status == "scanned"
    }
    done = await bench.scan(scan=COVER)
    assert done.report.files.checked == 8
    assert len(bench.checks()) == 2


async def test_force_asks_again_about_one_of_each(bench):
    tree(bench.images, A)
    await bench.scan(scan=COVER)

    ran = await bench.scan(scan=COVER, force=True)

    assert groups(ran) == expected("a")
    assert len(bench.checks()) == 2


async def test_a_fast_check_covers_only_where_it_is_asked_to(bench):
    tree(bench.images, A)

    assert (await bench.scan(scan={"check": "fast"}, dry_run=True)).report.files.renditions is None
    assert groups(await bench.scan(scan=COVER | {"check": "fast"})) == expected("a")


def taken(image: Image.Image, moment: str, fraction: str, form: str = "JPEG") -> bytes:
    exif = Image.Exif()
    ifd = exif.get_ifd(0x8769)
    ifd[0x9003], ifd[0x9291] = moment, fraction
    return encoded(image, form, exif=exif, quality=85)


@pytest.mark.slow
async def test_a_heic_beside_its_jpeg_of_the_same_moment_is_covered(bench):
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    first, second = photograph(5, (900, 700)), photograph(8, (900, 700))
    when = "2026:11:01 10:00:00"
    tree(
        bench.images,
        {
            "IMG_1.HEIC": taken(first, when, "250", "HEIF"),
            "IMG_1.JPG": taken(developed(first), when, "250"),
            "IMG_2.HEIC": taken(second, when, "251", "HEIF"),
            "IMG_2.JPG": taken(developed(second), when, "252"),
        },
    )

    ran = await bench.scan(scan=COVER)

    assert groups(ran) == {"IMG_1.HEIC": "IMG_1.JPG"}, "a name alone proves nothing"
    assert ran.lines["IMG_1.HEIC"].covered_by.rule == "raw"


def developed(image: Image.Image) -> Image.Image:
    """As a camera renders its JPEG: brighter than the rule for versions allows."""
    return image.point([min(255, round(value * 1.18)) for value in range(256)] * 3)


@pytest.mark.slow
async def test_conversions_are_versions_as_well(bench):
    original = photograph(6, (900, 700))
    tree(
        bench.images,
        {"master.tif": encoded(original, "TIFF"), "web.jpg": encoded(resized(original, 640))},
    )

    ran = await bench.scan(scan=COVER)

    assert groups(ran) == {"master.tif": "web.jpg"}, "what is sent as it is stands for the group"


async def test_a_killed_runs_lines_are_made_again_with_who_covers_whom(bench):
    tree(bench.images, A)
    settings = bench.settings(scan=COVER)
    run = Scan(settings)
    async with run:
        async for _ in run:
            pass
    with bench.ledger() as ledger, ledger.transaction():
        connection_of(ledger).execute("UPDATE runs SET closed = 0, report = NULL")
    before = bench.ran(run.report)
    (bench.folder / "output" / "runs" / run.report.run.id / "results.jsonl").unlink()

    await bench.scan(scan=COVER)

    assert bench.ran(run.report).lines == before.lines
    stored = bench.folder / "output" / "runs" / run.report.run.id / "report.json"
    assert json.loads(stored.read_bytes())["files"]["covered"] == 3


async def test_users_split_and_join_versions_permanently(bench):
    tree(bench.images, A)
    await bench.scan(scan=COVER)
    with bench.ledger() as ledger, ledger.transaction(writing=True):
        said = split(ledger, str(bench.images / "a-300x225.jpg"), "ines", "another label")
        assert "1 picture will be asked about by the next scan" in said

    ran = await bench.scan(scan=COVER)

    assert ran.statuses() == {"scanned": 1}
    assert ran.report.files.unchanged == 3
    with bench.ledger() as ledger:
        text = "\n".join(as_text(ledger))
        listed = json.loads(b"".join(as_json(ledger)))
    assert "2 versions: 2 covered." in text
    (line,) = (line for line in text.splitlines() if line.endswith("a-640x480.jpg"))
    assert re.fullmatch(r" +640 x 480    covered  \d+ bits?, \d+ levels? +a-640x480.jpg", line)
    assert "by ines: another label" in text
    (group,) = listed["groups"]
    assert os.path.basename(group["path"]) == "a.jpg"
    assert [each["width"] for each in group["versions"]] == [640, 400]
    assert all(each["covered"] and each["rule"] == "v1" for each in group["versions"])
    (said,) = listed["decisions"]
    assert (said["word"], said["who"], said["note"]) == ("split", "ines", "another label")


async def test_a_version_with_an_answer_of_its_own_is_not_said_to_be_asked_about_again(bench):
    tree(bench.images, A)
    await bench.scan()
    with bench.ledger() as ledger, ledger.transaction(writing=True):
        said = split(ledger, str(bench.images / "a-300x225.jpg"), "ines", None)

    assert said.endswith("a-300x225.jpg is now a picture of its own")
    assert (await bench.scan()).report.credits.charged == 0


async def test_only_a_file_can_be_split_and_a_pipe_is_not_waited_for(bench):
    tree(bench.images, A)
    await bench.scan(scan=COVER)
    os.mkfifo(bench.images / "pipe")
    with bench.ledger() as ledger, ledger.transaction(writing=True):
        for place in (bench.images / "pipe", bench.images, "/dev/zero"):
            with pytest.raises(UsageError, match="is not a file"):
                split(ledger, str(place), "ines", None)


async def test_what_people_parted_stays_parted_and_what_they_joined_is_one(bench):
    tree(bench.images, A | SHOT)
    await bench.scan(scan=COVER, dry_run=True)
    await bench.scan(scan=COVER, spend={"max_credits": 0})  # a ledger without answers
    names = [str(bench.images / name) for name in ("a.jpg", "a-640x480.jpg", "shot.png")]
    with bench.ledger() as ledger, ledger.transaction(writing=True):
        split(ledger, names[1], "ines", None)
        join(ledger, names[0], names[2], "ines", None)

    ran = await bench.scan(scan=COVER)

    assert groups(ran) == {"a-400x300.jpg": "a.jpg", "a-300x225.jpg": "a.jpg", "shot.png": "a.jpg"}
    assert ran.lines["shot.png"].covered_by.rule == "joined"
    with bench.ledger() as ledger, ledger.transaction(writing=True):
        said = split(ledger, names[0], "ines", None)
        assert "3 pictures will be asked about" in said, "what it covered"
    assert (await bench.scan(scan=COVER)).statuses() == {"scanned": 2, "covered": 1}


async def test_by_default_the_versions_are_listed_as_asked_about(bench):
    tree(bench.images, A)
    await bench.scan()

    with bench.ledger() as ledger:
        text = "\n".join(as_text(ledger))

    assert "3 versions: 3 asked about (`--renditions cover` would not)." in text
    assert (await bench.scan(scan=COVER)).report.files.unchanged == 4


async def test_report_and_evidence_name_the_file_that_was_asked_about_and_its_versions(
    bench_with, tmp_path
):
    web = tmp_path / "web"
    tree(web, {"copy.jpg": A["a-640x480.jpg"]})
    async with bench_with(search=True, web=web) as bench:
        tree(bench.images, A)
        ran = await bench.scan(scan=COVER)

        page = (bench.folder / "output" / "runs" / ran.report.run.id / "report.html").read_text()
        assert page.count('<article class="picture"') == 1
        shown = re.findall(
            r'<li><img src="data:image/jpeg;base64,[^"]+" alt=""[^>]*>'
            r"<span>(\S+) <small>([^<]+)</small>",
            page,
        )
        assert [name for name, _ in shown] == ["a-640x480.jpg", "a-400x300.jpg", "a-300x225.jpg"]
        kb = len(A["a-640x480.jpg"]) / 1000
        assert re.fullmatch(rf"640 × 480, {kb:.1f} kB, \d bits? and \d+ levels apart", shown[0][1])
        with bench.ledger() as ledger:
            (picture_id,) = ledger.evidence.pictures_at(
                os.fsencode(bench.images / "a-300x225.jpg"), None
            )
            picture = ledger.evidence.picture(picture_id)
        assert picture.paths == (os.fsencode(bench.images / "a.jpg"),)
        assert [os.path.basename(each.path) for each in picture.versions] == [
            b"a-640x480.jpg", b"a-400x300.jpg", b"a-300x225.jpg"
        ]  # fmt: skip


def listed(bench) -> tuple[str, list[dict[str, Any]]]:
    with bench.ledger() as ledger:
        return "\n".join(as_text(ledger)), json.loads(b"".join(as_json(ledger)))["groups"]


async def test_a_picture_that_is_gone_is_listed_as_gone_while_its_answer_covers_others(bench):
    tree(bench.images, A)
    await bench.scan(scan=COVER)
    (bench.images / "a-300x225.jpg").unlink()
    (bench.images / "a.jpg").unlink()
    await bench.scan(scan=COVER)

    text, (group,) = listed(bench)

    assert "    800 x 600    asked, not there any more\n" in text
    assert text.endswith("3 versions: 2 covered, 1 not there any more.")
    assert (group["present"], group["now_at"]) == (False, None)
    assert [each["present"] for each in group["versions"]] == [True, True, False]


async def test_a_picture_that_has_moved_is_listed_with_its_new_place(bench):
    tree(bench.images, A)
    await bench.scan(scan=COVER)
    moved = bench.images / "new" / "place.jpg"
    moved.parent.mkdir()
    (bench.images / "a.jpg").rename(moved)
    again = encoded(resized(photograph(1, (800, 600)), 640), quality=80)
    tree(bench.images, {"a-640x480.jpg": again, "a.jpg": B["b.jpg"]})

    ran = await bench.scan(scan=COVER)

    assert ran.lines["a-640x480.jpg"].status == "covered", ran.lines["a-640x480.jpg"]
    assert groups(ran) == {"a-640x480.jpg": "a.jpg"}, "the file that was sent"
    text, (group,) = listed(bench)
    assert f"asked, now at {moved}\n" in text
    assert (group["present"], group["now_at"]) == (False, str(moved))
    assert len(group["versions"]) == 3


async def test_versions_that_were_asked_about_since_are_not_counted_as_savings_of_what_is_gone(
    bench,
):
    tree(bench.images, A)
    await later(bench, 0)
    (bench.images / "a.jpg").unlink()
    await later(bench, 40)

    text, (group,) = listed(bench)

    assert os.path.basename(group["path"]) == "a-640x480.jpg"
    assert (group["present"], len(group["versions"])) == (True, 2)
    assert text.endswith("2 versions: 2 covered.")
    await bench.scan(scan={"renditions": "ask"})
    (bench.images / "a-640x480.jpg").unlink()
    text, _ = listed(bench)
    assert text.endswith("2 versions: 2 asked about, of pictures that are not there any more.")


@pytest.mark.parametrize("gone", [False, True])
async def test_reports_show_the_file_that_was_asked_about_whatever_is_seen_first(
    bench_with, tmp_path, gone
):
    """Also where only its versions are left, which are listed below it."""
    web = tmp_path / "web"
    tree(web, {"copy.jpg": A["a-640x480.jpg"]})
    async with bench_with(search=True, web=web) as bench:
        names = {"b/a.jpg": A["a.jpg"], "a/a-640x480.jpg": A["a-640x480.jpg"]}
        tree(bench.images, names | {"c/a-400x300.jpg": A["a-400x300.jpg"]})
        await bench.scan(scan=COVER)
        if gone:
            (bench.images / "b" / "a.jpg").unlink()

        for changes in ({}, {}, {"rehash": True}):
            ran = await bench.scan(scan=COVER, **changes)
            assert [image.path for image in ran.report.images] == [str(bench.images / "b/a.jpg")]
            page = (
                bench.folder / "output" / "runs" / ran.report.run.id / "report.html"
            ).read_text()
            (head, below) = page.split("Not asked about, as versions of it", 1)
            assert re.search(r"a\.jpg</h3>|>a\.jpg<", head)
            assert "a-640x480.jpg" not in head[head.index("<article") :]
            assert below.count("<li><img") == 2


async def later(bench, days: float, **changes):
    return await bench.scan(LaterClock(days), scan=COVER | {"rescan_after": 30 * DAY}, **changes)


async def test_a_covering_answer_that_is_too_old_is_asked_for_again_for_all_it_covers(bench):
    tree(bench.images, A | B)
    await later(bench, 0)

    young = await later(bench, 10)
    old = await later(bench, 40)

    assert (young.report.files.unchanged, young.statuses()) == (8, {})
    assert old.statuses() == {"scanned": 2, "covered": 6}
    assert groups(old) == expected("a", "b")
    line, by = old.lines["a-300x225.jpg"], old.lines["a.jpg"]
    assert (line.scan_id, line.scanned_at) == (by.scan_id, by.scanned_at), "the new answer"
    assert len(bench.checks()) == 4
    assert (await later(bench, 41)).report.files.unchanged == 8


@pytest.mark.parametrize("gone", ["deleted", "moved out of what is scanned"])
async def test_what_a_picture_covered_that_is_gone_comes_due_as_a_family(bench, gone):
    tree(bench.images, A)
    await later(bench, 0)
    if gone == "deleted":
        (bench.images / "a.jpg").unlink()
    else:
        (bench.images / "a.jpg").rename(bench.folder / "a.jpg")

    young = await later(bench, 10)
    old = await later(bench, 40)

    assert young.report.files.unchanged == 3, "the answer about the picture is there"
    assert old.lines["a-640x480.jpg"].status == Status.SCANNED
    assert groups(old) == {"a-400x300.jpg": "a-640x480.jpg", "a-300x225.jpg": "a-640x480.jpg"}
    assert len(bench.checks()) == 2
    assert (await later(bench, 41)).report.files.unchanged == 3


async def test_a_dry_run_plans_what_comes_due_by_the_same_rule(bench):
    tree(bench.images, A | B)
    await later(bench, 0)
    (bench.images / "a.jpg").unlink()

    dry = await later(bench, 40, dry_run=True)
    ran = await later(bench, 40)

    assert dry.report.run.plan.pictures == 2
    assert ran.statuses() == {"scanned": 2, "covered": 5}


@pytest.mark.parametrize("force", [False, True])
async def test_a_dry_run_plans_as_the_scan_after_scans_that_compared_nothing(bench, force):
    tree(bench.images, {"a.jpg": A["a.jpg"]})
    await bench.scan(scan={"renditions": "ask"})
    tree(bench.images, A)

    dry = await bench.scan(scan=COVER, force=force, dry_run=True)
    ran = await bench.scan(scan=COVER, force=force)

    assert dry.report.files.seen == ran.report.files.seen == 4
    assert dry.report.run.plan.pictures == ran.report.files.scanned == force


async def test_a_rehash_pays_for_nothing_and_covers_as_before(bench):
    tree(bench.images, A | B)
    await bench.scan(scan=COVER)

    ran = await bench.scan(scan=COVER, rehash=True)

    assert ran.statuses() == {"reused": 2, "covered": 6}
    assert groups(ran) == expected("a", "b")
    assert len(bench.checks()) == 2
