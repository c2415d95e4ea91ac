"""Decisions made on the page: what they become in the ledger, and what comes next."""

from __future__ import annotations

import asyncio
import getpass
import io
import sqlite3
import zipfile
from contextlib import closing

from yarl import URL

from batchscan.cli import main
from batchscan.ledger import FILE_NAME
from batchscan.review.server import ReviewServer
from tests.support.review import AT, ended, fill, found, loaded, reading


def rows(folder, query, *values):
    with closing(sqlite3.connect(folder / "state" / FILE_NAME)) as connection:
        return connection.execute(query, values).fetchall()


def word_of(folder, url) -> str:
    ((word,),) = rows(folder, "SELECT disposition FROM sightings WHERE url = ?", url)
    return str(word)


async def test_the_queue_begins_with_the_largest_site_and_goes_on_by_itself(reader, tmp_path):
    await reader.show()
    seen: list[str] = []
    while reader.seen:
        left, total = reader.left
        assert (left, total) == (8 - len(seen), 8)
        seen.append(reader.url)
        await reader.decide("reviewed")
    assert [url.split("/")[2] for url in seen] == ["cdn.one.com"] * 3 + ["one.com"] * 2 + [
        "two.co.uk",
        "two.co.uk",
        "three.org",
    ]
    assert reader.left == (0, 8)
    assert "Every match has a decision" in reader.page
    assert rows(tmp_path, "SELECT DISTINCT disposition FROM sightings") == [("reviewed",)]


async def test_by_picture_the_matches_of_one_come_together(reader):
    await reader.show("by=picture")
    seen = []
    while reader.seen:
        seen.append(reader.url)
        await reader.decide("not_mine")
    assert seen == sorted(seen[:3]) + sorted(seen[3:], key=lambda url: url.partition("//")[2])
    assert all("cdn.one.com" in url for url in seen[:3])


async def test_each_button_is_kept_with_its_note_as_mark_keeps_it(reader, tmp_path):
    await reader.show()
    for word in ("reviewed", "not_mine", "noticed", "removed"):
        url = reader.url
        await reader.decide(word, note=f"because {word}")
        assert word_of(tmp_path, url) == word
        who, kept, about, note = rows(
            tmp_path, "SELECT who, disposition, about, note FROM decisions ORDER BY id DESC LIMIT 1"
        )[0]
        assert (who, kept, about, note) == (getpass.getuser(), word, url, f"because {word}")
    await reader.show("disposition=not_mine")
    assert "because not_mine" in reader.page
    assert reader.left == (1, 8)


async def test_undo_takes_back_what_this_window_decided_and_not_what_another_did(reader, tmp_path):
    await reader.show()
    mine = reader.url
    await reader.decide("not_mine")
    undo = reader.attribute("undo")
    assert main(["mark", "reviewed", "three.org", "--state", str(tmp_path / "state")]) == 0
    await reader.post("/undo", what=undo, part="1")
    assert word_of(tmp_path, mine) == "open"
    assert word_of(tmp_path, "https://three.org/z.jpg") == "reviewed"
    assert "undone already" in await reader.post("/undo", what=undo, part="1")
    await reader.post("/undo", 400, what="", part="1")
    await reader.post("/undo", 400, what="x", part="1")
    await reader.post("/undo", 200, what="9" * 18, part="1")


async def test_mark_undo_takes_back_what_was_decided_on_the_page(reader, tmp_path, capsys):
    await reader.show()
    url = reader.url
    await reader.decide("not_mine")
    assert main(["mark", "--undo", "--state", str(tmp_path / "state")]) == 0
    assert f"undone: `mark not_mine {url}`" in capsys.readouterr().out
    assert word_of(tmp_path, url) == "open"


async def test_many_are_decided_about_at_once_with_one_note_and_taken_back_at_once(
    reader, tmp_path
):
    await reader.show()
    picks = reader.picks
    assert len(picks) == 8
    await reader.decide("not_mine", pick=picks[1:6], note="all the same")
    assert reader.left == (3, 8)
    assert reader.seen == picks[0]  # it was not selected, so it is still there
    assert rows(tmp_path, "SELECT count(*), note FROM decisions") == [(1, "all the same")]
    assert rows(tmp_path, "SELECT count(*) FROM decided") == [(5,)]
    await reader.undo()
    assert reader.left == (8, 8)
    assert rows(tmp_path, "SELECT DISTINCT disposition FROM sightings") == [("open",)]


async def test_what_another_window_decided_meanwhile_is_said_and_stays(server, reader, tmp_path):
    await reader.show()
    async with reading_too(server, reader) as other:
        await other.show()
        assert other.seen == reader.seen
        url = reader.url
        await other.decide("noticed", note="wrote to them")
    await reader.decide("not_mine")
    assert "Another window has decided meanwhile: 1 noticed" in reader.attribute("warning")
    assert reader.url == url  # it is shown as it is now
    assert word_of(tmp_path, url) == "noticed"
    assert reader.seen.endswith(":noticed")
    assert "wrote to them" in reader.page

    await reader.decide("not_mine")  # now that it was seen
    assert word_of(tmp_path, url) == "not_mine"


def reading_too(server, reader):
    """A second window of the same browser."""

    class Window:
        async def __aenter__(self):
            return type(reader)(reader.session, reader.base)

        async def __aexit__(self, *_):
            return None

    assert server.url
    return Window()


async def test_two_windows_that_decide_the_same_agree(server, reader):
    await reader.show()
    async with reading_too(server, reader) as other:
        await other.show()
        await other.decide("noticed")
    await reader.decide("noticed")
    assert reader.attribute("warning") == ""
    assert reader.left == (7, 8)


async def test_a_note_alone_is_kept(reader, tmp_path):
    await reader.show()
    url = reader.url
    note = f"look again on Monday{', and on Tuesday' * 120}"
    await reader.decide("open", note=note)
    assert reader.url == url
    assert note in reader.page
    assert reader.left == (8, 8)
    assert word_of(tmp_path, url) == "open"


async def test_what_cannot_be_is_refused_and_nothing_changes(reader, tmp_path):
    await reader.show()
    at = reader.seen
    for fields in (
        {"word": "allowed", "at": at},
        {"word": "gone", "at": at},
        {"word": "", "at": at},
        {"word": "reviewed", "at": ""},
        {"word": "reviewed", "at": "1-zz:open"},
        {"word": "reviewed", "at": at.partition(":")[0]},
        {"word": "reviewed", "at": at, "note": "x" * 2_001},
        {"word": "reviewed", "at": at, "pick": [at] * 501},
    ):
        await reader.post("/decide", 400, **fields)
    unknown = await reader.post("/decide", word="reviewed", at=f"99-{'0' * 16}:open", part="1")
    assert "is no longer in the ledger" in unknown
    assert rows(tmp_path, "SELECT count(*) FROM decisions") == [(0,)]


async def test_a_site_is_allowed_with_a_reason_leaves_the_queue_and_comes_back(reader, tmp_path):
    await reader.show()
    at = reader.seen
    refused = await reader.post("/allow", 400, at=at, reason=" ")
    assert "reason" in refused
    reader.page = await reader.post("/allow", at=at, reason='our "own" shop\n', part="1")
    assert reader.left == (3, 3)
    assert "one.com" not in reader.url
    assert 'domain: "one.com"' in (tmp_path / "allow.yaml").read_text()
    await reader.show("disposition=allowed")
    assert reader.left == (5, 5)

    reader.page = await reader.post("/undo", what="rule-1", part="1")
    assert not (tmp_path / "allow.yaml").exists()
    await reader.show()
    assert reader.left == (8, 8)


async def test_a_rule_is_not_taken_out_of_a_file_that_was_changed_since(reader, tmp_path):
    rules = tmp_path / "allow.yaml"
    rules.write_text("# ours\n- domain: three.org\n  reason: a friend\n")
    await reader.show()
    assert reader.left == (7, 7)
    await reader.post("/allow", at=reader.seen, reason="a customer")
    rules.write_text(rules.read_text() + "# and a remark\n")
    said = await reader.post("/undo", what="rule-1", part="1")
    assert "remove the rule by hand" in said
    assert "# and a remark" in rules.read_text()
    assert "a customer" in rules.read_text()


async def test_rules_that_others_write_hold_from_the_next_page_on(reader, tmp_path):
    await reader.show()
    words = ["allow", "add", "one.com", "--reason", "ours", "-c", str(tmp_path / "config.yaml")]
    assert main([*words, "--state", str(tmp_path / "state")]) == 0
    assert (await reader.show()).left == (3, 3)


async def test_all_of_a_site_is_decided_about_as_mark_does_it(reader, tmp_path):
    await reader.show()
    await reader.decide("not_mine")
    page = await reader.post("/site/mark?site=one.com", word="reviewed", note="a shop")
    assert "4 matches on one.com marked reviewed." in page
    assert "Other decisions are kept: 1 not mine." in page
    assert rows(tmp_path, "SELECT about, note FROM decisions ORDER BY id DESC LIMIT 1") == [
        ("one.com", "a shop")
    ]
    assert "Draft the notice" in page
    await reader.post("/site/mark?site=co.uk", 400, word="reviewed")
    await reader.post("/site/mark?site=-", 400, word="reviewed")


async def test_the_button_after_the_notice_marks_what_the_notice_names_and_no_more(
    reader, tmp_path
):
    await reader.show()
    url = reader.url
    await reader.decide("reviewed")
    page = await reader.get("/site?site=one.com")
    assert "The notice is sent: mark the one noticed" in page
    page = await reader.post("/site/mark?site=one.com", only="reviewed", word="noticed")
    assert "1 match on one.com marked noticed." in page
    assert word_of(tmp_path, url) == "noticed"
    assert "The notice is sent" not in page


async def test_no_notice_is_recorded_about_matches_that_are_allowed(reader, tmp_path):
    rules = tmp_path / "allow.yaml"
    rules.write_text("- {url: 'https://cdn.one.com/*', reason: a customer}\n")
    await reader.post("/site/mark?site=one.com", word="noticed")
    marked = rows(tmp_path, "SELECT url FROM sightings WHERE disposition = 'noticed'")
    assert marked
    assert not [url for (url,) in marked if "cdn." in url]


async def test_the_notice_and_the_case_of_a_site_are_downloaded(reader):
    await reader.post("/site/notice?site=one.com", 400, form="md")  # nothing is reviewed yet
    await reader.post("/site/mark?site=one.com", word="reviewed")
    notice = await reader.post("/site/notice?site=one.com", form="txt")
    assert "cdn.one.com/0.jpg" in notice
    await reader.get("/site/case.zip?site=one.com", 404)  # none is packed yet
    await reader.post("/site/pack?site=one.com")
    page = await ended(reader, "one.com")
    assert "Download case-one.com.zip (" in page
    async with reader.session.get(reader.base.join(URL("/site/case.zip?site=one.com"))) as answer:
        name = answer.headers["Content-Disposition"]
        data = await answer.read()
    assert name == 'attachment; filename="case-one.com.zip"'
    with zipfile.ZipFile(io.BytesIO(data)) as case:
        assert "manifest.json" in case.namelist()


async def test_what_a_scan_adds_meanwhile_is_in_the_queue_and_nothing_waits(
    server, reader, tmp_path
):
    """A writer holds the ledger for a while, as a scan does at a commit."""
    await reader.show()
    with closing(sqlite3.connect(tmp_path / "state" / FILE_NAME)) as scan:
        scan.execute("BEGIN IMMEDIATE")
        await asyncio.wait_for(reader.show("by=picture"), 25)  # reading does not wait
        deciding = asyncio.create_task(reader.decide("reviewed"))
        await asyncio.sleep(0.2)
        assert not deciding.done()
        scan.rollback()
        await deciding
    fill(tmp_path, {"2024/new.jpg": [found("https://four.net/n.jpg")]}, run="r2", at=AT + 9)
    await reader.show("site=four.net")
    assert reader.left == (1, 1)
    await reader.show("state=new")
    assert reader.url == "https://four.net/n.jpg"


async def test_a_restart_shows_what_is_left(server, reader, tmp_path):
    await reader.show()
    await reader.decide("reviewed")
    async with ReviewServer(loaded(tmp_path)) as again, reading(again) as somebody:
        assert (await somebody.show()).left == (7, 8)


async def test_a_missing_ledger_is_reported_and_found_again_later(reader, tmp_path):
    await reader.show()
    ledger = tmp_path / "state" / FILE_NAME
    ledger.rename(tmp_path / "away")
    assert "there is no ledger" in await reader.get("/queue", 503)
    await reader.post("/decide", 503, word="reviewed", at=reader.seen)
    (tmp_path / "away").rename(ledger)
    assert (await reader.show()).left == (8, 8)
