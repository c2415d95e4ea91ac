from __future__ import annotations

import csv
import getpass
import io
import json

import msgspec
import pytest

from batchscan.cli import main
from batchscan.enums import MatchKind
from batchscan.ledger import Ledger, Realm
from batchscan.model import Answer, Match, Score, Stat
from batchscan.settings import Api
from batchscan.util.escaping import MAX_CELL
from tests.support import settling
from tests.support.ledgers import image

URL = "https://example.com/a.jpg"
PAGE = "https://example.com/page"
BODY = json.dumps(
    {
        "scannedImage": {"expectedCredits": 1, "actualCredits": 1},
        "matches": {
            "score": {"totalMatches": 1, "fullMatches": 1, "partialMatches": 0},
            "internet": [{"url": URL, "matchType": 0, "webPages": [{"url": PAGE}]}],
        },
    }
).encode()
REJECTION = msgspec.json.encode(
    {"reason": "corrupt", "detail": "cut short", "format": "jpeg", "width": 4, "matches": []}
)


def settle(ledger, path, content=b"content"):
    """Enter a file with a paid answer."""
    picture = image(path, content)
    claim = ledger.claims.open(picture, 1, "r1", 1000.0)
    match = Match(URL, MatchKind.FULL, (PAGE,), "example.com")
    settling.settle(ledger, claim, Answer(BODY, 1000.25, 1, 1, Score(1, 1, 0), (match,)), "r1")
    ledger.files.upsert(path, picture.stat, picture_id=claim.picture_id)


def enter(state, path, urls):
    """Enter a picture with full matches at these addresses into the ledger."""
    internet = [{"url": url, "matchType": 0} for url in urls]
    score = {"totalMatches": len(urls), "fullMatches": len(urls), "partialMatches": 0}
    body = json.dumps({"matches": {"internet": internet, "score": score}}).encode()
    matches = tuple(Match(url, MatchKind.FULL, (), "example.com") for url in urls)
    ledger = Ledger.open(state, Realm(Api().url, sandbox=False))
    with ledger.transaction():
        picture = image(path, path.encode())
        claim = ledger.claims.open(picture, 1, "r1", 1000.0)
        answer = Answer(body, 1000.25, 1, 1, Score(len(urls), len(urls), 0), matches)
        settling.settle(ledger, claim, answer, "r1")
        ledger.files.upsert(path, picture.stat, picture_id=claim.picture_id)
    ledger.close()


@pytest.fixture
def state(tmp_path):
    """A state folder whose ledger knows two real files, and one of the sandbox."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    for sandbox in (False, True):
        ledger = Ledger.open(folder, Realm(Api().url, sandbox))
        with ledger.transaction():
            settle(ledger, "/p/mock.jpg" if sandbox else "/p/=odd\udcff.jpg")
            if not sandbox:
                ledger.files.upsert("/p/torn.jpg", Stat(9, 1, 1), rules="x", line=REJECTION)
        ledger.close()
    return folder


@pytest.fixture
def export(state, capsysbinary):
    def exporting(*words):
        assert main(["export", "--state", str(state), *words]) == 0
        said = capsysbinary.readouterr()
        assert said.err == b""
        return said.out.decode("utf-8-sig")

    return exporting


def test_every_image_is_one_line_with_its_verdict(export):
    answered, rejected = map(json.loads, export().splitlines())
    assert answered["path"] == "/p/=odd\ufffd.jpg"
    assert answered["path_b64"]
    assert answered["status"] == "scanned"
    assert answered["credits"] == 1
    assert answered["scanned_at"] == "1970-01-01T00:16:40.250Z"
    assert answered["score"] == {"total": 1, "full": 1, "partial": 0}
    (match,) = answered["matches"]
    assert (match["url"], match["kind"], match["pages"]) == (URL, "full", [PAGE])
    assert (rejected["status"], rejected["reason"]) == ("rejected", "corrupt")
    assert (rejected["bytes"], rejected["format"], rejected["matches"]) == (9, "jpeg", [])
    assert list(answered) == list(rejected)


def test_a_table_has_the_same_rows_and_no_cell_that_is_run_as_a_formula(export):
    header, answered, rejected = csv.reader(io.StringIO(export("--format", "csv")))
    row = dict(zip(header, answered, strict=True))
    assert row["path"] == "/p/=odd\ufffd.jpg"
    assert (row["total"], row["full"], row["partial"], row["match_urls"]) == ("1", "1", "0", URL)
    assert row["sandbox"] == "false"
    row = dict(zip(header, rejected, strict=True))
    assert (row["status"], row["reason"], row["sha256"]) == ("rejected", "corrupt", "")


def test_answers_of_the_sandbox_are_apart(export):
    (line,) = export("--sandbox").splitlines()
    assert json.loads(line)["path"] == "/p/mock.jpg"
    assert json.loads(line)["sandbox"] is True


def test_an_empty_ledger_gives_no_line_and_a_table_only_its_header(tmp_path, capsysbinary):
    state = tmp_path / "none"
    state.mkdir(mode=0o700)
    Ledger.open(state, Realm(Api().url, sandbox=False)).close()
    assert main(["export", "--state", str(state)]) == 0
    assert capsysbinary.readouterr().out == b""
    assert main(["export", "--format", "csv", "--state", str(state)]) == 0
    assert capsysbinary.readouterr().out.startswith(b"\xef\xbb\xbfpath,path_b64,status,")


def test_a_picture_with_more_addresses_than_a_cell_holds_has_a_row_for_each(state, export):
    urls = [f"https://example.com/{number:04}/{'x' * 90}.jpg" for number in range(400)]
    enter(state, "/p/many.jpg", [*urls, "https://example.com/" + "y" * 40_000])
    rows = list(csv.DictReader(io.StringIO(export("--format", "csv"))))
    many = [row for row in rows if row["path"] == "/p/many.jpg"]
    assert sorted(row["match_urls"] for row in many)[:-1] == urls
    assert {(row["total"], row["full"]) for row in many} == {("401", "401")}
    cells = [cell for row in rows for cell in row.values()]
    assert max(len(cell.encode("utf-16-le")) // 2 for cell in cells) <= MAX_CELL
    assert sum("[cut, 40,020 characters]" in cell for cell in cells) == 1


def test_an_unknown_form_is_refused(capsys):
    assert main(["export", "--format", "xml"]) == 2
    assert "'xml' is not one of" in capsys.readouterr().err


def test_a_match_has_everything_that_was_decided_about_it(tmp_path, monkeypatch, capsysbinary):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "decided"
    folder.mkdir(mode=0o700)
    enter(folder, "/images/a.png", [URL, "https://other.example/b.jpg"])
    for words in (
        ["reviewed", "example.com", "--note", "a shop"],
        ["noticed", "example.com"],
        ["--undo"],
    ):
        assert main(["mark", *words, "--state", str(folder)]) == 0
    capsysbinary.readouterr()
    assert main(["export", "--state", str(folder)]) == 0
    [line] = map(json.loads, capsysbinary.readouterr().out.splitlines())
    decided = {match["url"]: match["decisions"] for match in line["matches"]}

    assert decided["https://other.example/b.jpg"] == []
    assert [(each["before"], each["disposition"], each["undo"]) for each in decided[URL]] == [
        ("noticed", "reviewed", True), ("reviewed", "noticed", False), ("open", "reviewed", False),
    ]  # fmt: skip
    assert decided[URL][2]["note"] == "a shop"
    assert decided[URL][2]["who"] == getpass.getuser()
    assert decided[URL][2]["at"].endswith("Z")

    assert main(["export", "--format", "csv", "--state", str(folder)]) == 0
    [row] = csv.DictReader(io.StringIO(capsysbinary.readouterr().out.decode("utf-8-sig")))
    assert sorted(row["disposition"].split(", ")) == ["1 open", "1 reviewed"]
    assert (row["decided_by"], row["note"]) == (getpass.getuser(), "a shop")
    assert row["decided_at"] == decided[URL][2]["at"]
    assert row["recheck"] == row["rechecked_at"] == ""
