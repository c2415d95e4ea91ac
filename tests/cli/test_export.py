from __future__ import annotations

import csv
import io
import json

import msgspec
import pytest

from batchscan.cli import main
from batchscan.ledger import Ledger, Realm
from batchscan.model import Answer, Match, Score, Stat
from batchscan.names import MatchKind
from batchscan.settings import Api
from tests.ledger.conftest import image

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
    ledger.claims.settle(claim, Answer(BODY, 1000.25, 1, 1, Score(1, 1, 0), (match,)), "r1")
    ledger.files.put(path, picture.stat, picture_id=claim.picture_id)


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
                ledger.files.put("/p/torn.jpg", Stat(9, 1, 1), rules="x", line=REJECTION)
        ledger.close()
    return folder


@pytest.fixture
def export(state, capsysbinary):
    def exporting(*words):
        assert main(["export", "--state", str(state), *words]) == 0
        said = capsysbinary.readouterr()
        assert said.err == b""
        return said.out.decode()

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
    state = str(tmp_path / "none")
    assert main(["export", "--state", state]) == 0
    assert capsysbinary.readouterr().out == b""
    assert main(["export", "--format", "csv", "--state", state]) == 0
    assert capsysbinary.readouterr().out.startswith(b"path,path_b64,status,")


def test_an_unknown_form_is_refused(capsys):
    assert main(["export", "--format", "xml"]) == 2
    assert "'xml' is not one of" in capsys.readouterr().err
