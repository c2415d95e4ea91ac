"""Runs in which nothing changed leave the files of the run before; those in which something did, none."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from batchscan import Scan
from batchscan.cli import main
from batchscan.ledger import FILE_NAME
from batchscan.runs.reports import MATCHES, PAGE
from tests.support.bench import Bench, Ran
from tests.support.pictures import jpeg, tree

FILES = (MATCHES, PAGE)


@pytest.fixture
async def bench(bench_with, tmp_path):
    """Two pictures with a match each, which are known since the first of two runs."""
    pictures = {"a.jpg": jpeg(96, 64, 1), "b.jpg": jpeg(96, 64, 2)}
    tree(tmp_path / "web", {f"one.example/{name}": data for name, data in pictures.items()})
    async with bench_with(web=tmp_path / "web", search=True) as opened:
        tree(opened.images, pictures)
        await opened.scan()
        await opened.scan()
        yield opened


def folder(bench: Bench, ran: Ran) -> Path:
    return bench.folder / "output" / "runs" / ran.report.run.id


def inodes(place: Path) -> dict[str, int]:
    return {name: (place / name).stat().st_ino for name in FILES}


async def anew(bench, **changes) -> set[str]:
    """The files that the next run makes anew."""
    before = inodes(bench.folder / "output" / "latest")
    ran = await bench.scan(**changes)
    after = inodes(folder(bench, ran))
    assert (ran.report.run.same_as is None) == (after[PAGE] != before[PAGE])
    return {name for name in FILES if after[name] != before[name]}


def command(bench, *words: str) -> None:
    state = ["--state", str(bench.folder / "state")]
    assert main([*words, *state]) == 0


async def test_the_third_run_is_the_second_but_for_what_is_its_own(bench):
    second = json.loads((bench.folder / "output" / "latest" / "report.json").read_bytes())
    ran = await bench.scan()
    third = json.loads((folder(bench, ran) / "report.json").read_bytes())

    own = {"id", "started_at", "finished_at", "duration_s", "same_as"}
    assert second["run"]["same_as"] is None
    assert third["run"]["same_as"] == second["run"]["id"] != third["run"]["id"]
    assert third["run"]["id"] == ran.report.run.id
    for run in (second["run"], third["run"]):
        for name in own:
            del run[name]
    assert third == second
    assert len(third["images"]) == third["matches"]["total"] == 2
    for name in FILES:
        assert (folder(bench, ran) / name).stat().st_nlink == 2
    assert "one.example" in (folder(bench, ran) / MATCHES).read_text("utf-8-sig")


async def test_the_run_that_names_the_page_is_the_one_it_was_made_for(bench):
    ran = [await bench.scan() for _ in range(3)]

    assert len({each.report.run.same_as for each in ran}) == 1
    assert ran[0].report.run.same_as in (folder(bench, ran[2]) / PAGE).read_text()


async def test_what_was_new_in_a_run_is_known_in_the_next(bench):
    tree(bench.images, {"c.jpg": jpeg(96, 64, 3)})
    tree(bench.folder / "web", {"one.example/c.jpg": jpeg(96, 64, 3)})
    (bench.folder / "web" / "one.example" / "a.jpg").unlink()

    assert await anew(bench, force=True) == set(FILES)
    assert await anew(bench) == set(FILES)
    assert await anew(bench) == set()


async def test_a_decision_makes_them_anew_once(bench):
    assert await anew(bench) == set()
    command(bench, "mark", "removed", "*")
    assert await anew(bench) == set(FILES)
    assert await anew(bench) == set()
    command(bench, "mark", "--undo")
    assert await anew(bench) == set(FILES)


async def test_rules_make_them_anew_also_when_their_day_is_over(bench):
    today = datetime.now(UTC).date()
    rules = bench.folder / "allow.yaml"
    allow = {"scan": {"allow": str(rules)}}
    texts = [
        f"- {{domain: one.example, reason: ours, until: {today + timedelta(days)}}}\n"
        for days in (1, -1)
    ]
    for text in texts:
        rules.write_text(text)
        rules.chmod(0o600)
        assert await anew(bench, **allow) == set(FILES)
        assert await anew(bench, **allow) == set()


async def test_rules_about_paths_look_where_pictures_are_now(bench):
    rules = bench.folder / "allow.yaml"
    rules.write_text("- {images: elsewhere/, reason: ours}\n")
    allow = {"scan": {"allow": str(rules)}}
    elsewhere = bench.folder / "elsewhere"
    tree(elsewhere, {"copy.jpg": (bench.images / "a.jpg").read_bytes()})
    await bench.scan(roots=(str(elsewhere),))
    await bench.scan()

    assert await anew(bench, **allow) == set(FILES)
    assert await anew(bench, **allow) == set()
    (elsewhere / "copy.jpg").unlink()
    ran = await bench.scan(**allow)
    assert ran.report.matches.allowed == 0


async def test_a_new_picture_without_a_match_leaves_the_table(bench):
    tree(bench.images, {"c.jpg": jpeg(96, 64, 9)})

    assert await anew(bench) == {PAGE}
    assert await anew(bench) == {PAGE}
    assert await anew(bench) == set()


async def test_other_pictures_are_another_report(bench):
    (bench.images / "b.jpg").unlink()

    assert await anew(bench) == set(FILES)


async def test_a_file_that_was_changed_or_taken_away_is_made_anew(bench):
    latest = bench.folder / "output" / "latest"
    with (latest / MATCHES).open("a") as file:
        file.write("a note of mine\n")
    (latest / PAGE).unlink()
    ran = await bench.scan()

    assert "a note of mine" not in (folder(bench, ran) / MATCHES).read_text()
    assert (folder(bench, ran) / PAGE).stat().st_nlink == 1
    assert await anew(bench) == set()


async def test_a_report_written_again_is_no_other_runs(bench):
    await bench.scan()
    last = (bench.folder / "output" / "latest").resolve()
    command(bench, "mark", "removed", "*")
    command(bench, "report", "--write", "-o", str(bench.folder / "output"))
    command(bench, "mark", "--undo")
    written = inodes(last)
    ran = await bench.scan()

    assert not set(inodes(folder(bench, ran)).values()) & set(written.values())


@pytest.mark.skipif(not Path("/dev/shm").exists(), reason="there is no other file system")
async def test_where_links_cannot_lead_they_are_written(bench):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        assert os.stat(other).st_dev != bench.folder.stat().st_dev
        ran = await bench.scan()
        async with Scan(bench.settings(output={"directory": other})) as run:
            assert [each async for each in run] == []
        there = Path(other, "runs", run.report.run.id)

        assert run.report.run.same_as is None
        assert (there / MATCHES).read_bytes() == (folder(bench, ran) / MATCHES).read_bytes()


async def test_old_runs_can_go_and_the_newest_keeps_its_files(bench):
    keep = {"output": {"keep_runs": 1}}
    ran = [await bench.scan(**keep) for _ in range(3)]

    assert os.listdir(bench.folder / "output" / "runs") == [ran[2].report.run.id]
    assert (folder(bench, ran[2]) / PAGE).stat().st_nlink == 1
    assert await anew(bench, **keep) == set()


async def test_a_dry_run_uses_what_is_known_and_keeps_nothing(bench):
    def kept() -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(bench.folder / "state" / FILE_NAME)) as ledger:
            return ledger.execute("SELECT * FROM cached_files").fetchall()

    before = kept()
    ran = await bench.scan(dry_run=True)

    assert kept() == before
    assert ran.report.matches.total == 2
    assert (folder(bench, ran) / MATCHES).stat().st_nlink == 2


async def test_what_the_ledger_keeps_of_it_is_the_whole_report(bench, capfd):
    ran = await bench.scan()
    capfd.readouterr()
    command(bench, "report", "--json", "--run", ran.report.run.id)
    again = json.loads(capfd.readouterr().out)
    written = json.loads((folder(bench, ran) / "report.json").read_bytes())

    assert again == written
