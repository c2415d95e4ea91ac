"""A web that gains and loses copies, asked again and again; what is told, and what people decide."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing

import msgspec
import pytest

from batchscan.cli import main
from tests.support.changing_web import ONE, TWO
from tests.support.pictures import jpeg, tree


def states(ran) -> dict[str, str]:
    [line] = ran.lines.values()
    return {match.url.partition("/web/")[2]: str(match.state) for match in line.matches}


async def test_results_show_what_is_new_known_gone_and_returned(web):
    web.shows(ONE)
    first = await web.scan()
    web.shows(TWO)
    second = await web.scan(force=True)
    web.shows(ONE, TWO)
    third = await web.scan(force=True)

    assert states(first) == {ONE: "new"}
    assert states(second) == {TWO: "new", ONE: "gone"}
    assert states(third) == {ONE: "returned", TWO: "known"}
    assert first.report.matches.new == second.report.matches.new == 1
    assert (second.report.matches.gone, second.report.matches.total) == (1, 1)
    assert (third.report.matches.returned, third.report.matches.new) == (1, 0)
    [line] = third.lines.values()
    assert {match.first_seen for match in line.matches} == {
        match.first_seen
        for ran in (first, second)
        for match in next(iter(ran.lines.values())).matches
    }
    assert {match.last_seen for match in line.matches} == {line.scanned_at}


async def test_fail_on_new_speaks_up_once(web):
    web.shows(ONE)
    new = {"scan": {"fail_on": "new"}}

    assert (await web.scan(**new)).exit_code == 10
    assert (await web.scan(**new)).exit_code == 0
    assert (await web.scan(force=True, **new)).exit_code == 0
    web.shows()
    assert (await web.scan(force=True, **new)).exit_code == 0
    web.shows(ONE)
    assert (await web.scan(force=True, **new)).exit_code == 10


async def test_what_is_allowed_stays_counted_and_fails_no_run(web, tmp_path):
    rules = tmp_path / "allow.yaml"
    rules.write_text("- {url: '*/one.example/*', images: ours/, reason: our own shop}\n")
    web.shows(ONE, TWO)
    scan = {"allow": str(rules), "fail_on": "any"}
    ran = await web.scan(scan=scan)

    assert ran.exit_code == 10
    assert (ran.report.matches.total, ran.report.matches.allowed) == (2, 1)
    assert ran.report.matches.worklist == 1
    [line] = ran.lines.values()
    assert sorted(str(match.disposition) for match in line.matches) == ["allowed", "open"]
    [rule] = ran.report.allow_rules
    assert (rule.reason, rule.covers, rule.expired) == ("our own shop", 1, False)

    web.shows(ONE)
    again = await web.scan(scan=scan, force=True)
    assert again.exit_code == 0
    assert (again.report.matches.total, again.report.matches.allowed) == (1, 1)


async def test_an_allow_rule_past_its_date_allows_nothing_and_is_named(web, tmp_path):
    rules = tmp_path / "allow.yaml"
    rules.write_text("- {url: '*/one.example/*', reason: licence, until: 2020-01-31}\n")
    web.shows(ONE)
    ran = await web.scan(scan={"allow": str(rules), "fail_on": "any"})

    assert ran.exit_code == 10
    [rule] = ran.report.allow_rules
    assert (rule.until, rule.expired, rule.covers) == ("2020-01-31", True, 0)


async def test_a_broken_allow_file_ends_the_run_before_anything_is_sent(web, tmp_path):
    rules = tmp_path / "allow.yaml"
    rules.write_text("- {domain: example.com}\n")
    async with web.bench() as bench:
        with pytest.raises(Exception, match=r"allow\.yaml line 1.*reason"):
            await bench.scan(scan={"allow": str(rules)})
        assert bench.checks() == []


async def test_what_is_marked_stays_and_shows_everywhere(web, capsysbinary, tmp_path):
    web.shows(ONE, TWO)
    await web.scan()
    assert web.command("mark", "reviewed", "*/one.example/*") == 0
    assert b"1 match of 1 picture marked reviewed (before: 1 open)" in capsysbinary.readouterr().out
    assert web.command("mark", "not-mine", "*two.example*", "--images", "ours/*.jpg") == 0
    capsysbinary.readouterr()

    again = await web.scan(force=True, scan={"fail_on": "any"})
    [line] = again.lines.values()
    found = {m.url.partition("/web/")[2]: str(m.disposition) for m in line.matches}
    assert found == {ONE: "reviewed", TWO: "not_mine"}
    assert (again.report.matches.worklist, again.exit_code) == (1, 10)

    assert web.command("export") == 0
    exported = json.loads(capsysbinary.readouterr().out)
    assert sorted(match["disposition"] for match in exported["matches"]) == ["not_mine", "reviewed"]
    assert web.command("report", "--csv", "-") == 0
    rows = csv.DictReader(io.StringIO(capsysbinary.readouterr().out.decode("utf-8-sig")))
    assert sorted(row["disposition"] for row in rows) == ["not_mine", "reviewed"]


async def test_marking_what_no_match_is_at_marks_nothing(web, capsys):
    web.shows(ONE)
    await web.scan()

    assert web.command("mark", "reviewed", "*/one.example/*", "nowhere.example") == 2
    assert "no match is known at 'nowhere.example'; nothing was marked" in capsys.readouterr().err
    assert (await web.scan(force=True)).lines["ours/p.jpg"].matches[0].disposition == "open"


def test_marking_without_a_ledger_makes_none(tmp_path, capsys):
    assert main(["mark", "reviewed", "example.com", "--state", str(tmp_path / "none")]) == 9
    assert "there is no ledger" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


async def test_a_report_made_again_shows_what_was_decided_since(web, capsysbinary, tmp_path):
    web.shows(ONE, TWO)
    first = await web.scan()
    web.command("mark", "not-mine", "*/one.example/*")
    capsysbinary.readouterr()
    assert web.command("report", "--json") == 0
    now = json.loads(capsysbinary.readouterr().out)
    before = json.loads(msgspec.json.encode(first.report))

    assert (before["matches"]["worklist"], now["matches"]["worklist"]) == (2, 1)
    assert now["matches"]["new"] == before["matches"]["new"] == 2
    unchanged = ("run", "files", "reasons", "credits", "api")
    assert {name: now[name] for name in unchanged} == {name: before[name] for name in unchanged}


async def test_an_older_run_and_everything_can_be_reported_too(web, capsysbinary):
    web.shows(ONE)
    first = await web.scan()
    web.shows(ONE, TWO)
    await web.scan(force=True)
    tree(web.folder / "images", {"empty.png": b""})
    last = await web.scan()

    assert web.command("report", "--run", first.report.run.id, "--json") == 0
    assert json.loads(capsysbinary.readouterr().out)["run"]["id"] == first.report.run.id
    assert web.command("report", "--all", "--json") == 0
    everything = json.loads(capsysbinary.readouterr().out)
    assert everything["run"]["id"] == "all"
    assert everything["credits"]["charged"] == 2
    assert everything["files"]["scanned"] == 1
    assert everything["reasons"] == {"empty": 1}
    assert (everything["matches"]["total"], everything["matches"]["new"]) == (2, 0)
    assert web.command("report", "--run", "20200101T000000Z") == 2
    assert last.report.run.id.encode() in capsysbinary.readouterr().err


async def test_a_run_leaves_a_table_of_its_matches_and_a_thumbnail_in_the_ledger(web):
    web.shows(ONE)
    ran = await web.scan()
    folder = web.folder / "output" / "runs" / ran.report.run.id

    assert ONE in (folder / "matches.csv").read_text("utf-8-sig")
    again = await web.scan()
    folder = web.folder / "output" / "runs" / again.report.run.id
    assert ONE in (folder / "matches.csv").read_text("utf-8-sig")


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ("UPDATE portraits SET thumbnail = x'ffd8'", True),
        ("UPDATE portraits SET thumbnail = NULL", False),  # as without its decoder
        ("UPDATE portraits SET provenance = x'7b'", False),
        ("DELETE FROM portraits", False),
    ],
)
async def test_a_thumbnail_is_made_once_for_all_answers_to_a_picture(web, change, kept):
    def portrait(statement: str = "SELECT 1") -> list[tuple[bytes | None, bytes]]:
        with closing(sqlite3.connect(web.folder / "state" / "ledger.sqlite3")) as ledger, ledger:
            ledger.execute(statement)
            return ledger.execute("SELECT thumbnail, provenance FROM portraits").fetchall()

    web.shows(ONE)
    await web.scan()
    made, changed = portrait(), portrait(change)
    await web.scan(force=True)

    assert len(made) == 1
    assert made != changed
    assert portrait() == (changed if kept else made)


async def test_the_news_of_a_killed_run_is_reported_by_the_next_one(web):
    web.shows(ONE)
    await web.scan()
    state = web.folder / "state" / "ledger.sqlite3"
    with sqlite3.connect(state) as ledger:  # as a kill before the closing leaves it
        ledger.execute("UPDATE runs SET closed = 0, report = NULL")
    ledger.close()

    new = {"scan": {"fail_on": "new"}}
    (web.folder / "elsewhere").mkdir()
    assert (await web.scan(roots=(str(web.folder / "elsewhere"),), **new)).exit_code == 0
    assert (await web.scan(**new)).exit_code == 10
    assert (await web.scan(**new)).exit_code == 0


async def test_a_picture_that_was_moved_is_not_where_a_rule_about_its_old_place_says(web, tmp_path):
    rules = tmp_path / "allow.yaml"
    rules.write_text("- {images: ours/, reason: bought}\n")
    web.shows(ONE)
    scan = {"allow": str(rules), "fail_on": "any"}
    assert (await web.scan(scan=scan)).exit_code == 0

    tree(web.folder / "images", {"elsewhere/x.png": b"", "ours/stays.txt": b""})
    (web.folder / "images" / "ours" / "p.jpg").rename(web.folder / "images" / "elsewhere" / "p.jpg")
    moved = await web.scan(scan=scan)
    assert (moved.report.matches.allowed, moved.report.matches.worklist) == (0, 1)
    assert moved.exit_code == 10


async def test_a_rule_about_a_place_holds_while_its_disk_is_away(web, tmp_path):
    rules = tmp_path / "allow.yaml"
    rules.write_text("- {images: ours/, reason: bought}\n")
    web.shows(ONE)
    await web.scan()
    (web.folder / "images").rename(web.folder / "unmounted")

    assert web.command("report", "--all", "--allow", str(rules), "--csv", str(tmp_path / "a")) == 0
    assert ",allowed," in (tmp_path / "a").read_text("utf-8-sig")


async def test_everything_shows_what_the_last_run_over_each_folder_left(web, capsysbinary):
    web.shows(ONE)
    tree(web.folder / "images", {"ours/q.jpg": jpeg(96, 64, 2)})
    left = await web.scan(spend={"limit": 1})
    other = tree(web.folder / "other", {"r.jpg": jpeg(96, 64, 3)})
    assert (await web.scan(roots=(str(other),))).exit_code == 0
    assert left.report.files.deferred == 1

    assert web.command("report", "--all", "--json") == 0
    everything = json.loads(capsysbinary.readouterr().out)
    assert everything["files"]["deferred"] == 1
    assert everything["run"]["partial"]
    assert sorted(everything["run"]["roots"]) == sorted([str(web.folder / "images"), str(other)])
