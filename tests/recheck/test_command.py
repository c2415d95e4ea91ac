"""`batchscan recheck` as it is called: its words, its JSON, its exit codes."""

import json

import pytest

from batchscan.cli import main
from tests.support.rechecking import CopiesWeb, Copy


@pytest.fixture
def web(tmp_path):
    copies = [Copy("http://127.0.0.1/a.jpg", ("http://site.invalid/page",))]
    return CopiesWeb(tmp_path / "state", copies)


@pytest.fixture
def recheck(web, capsys):
    def call(*words: str):
        code = main(["recheck", "--state", str(web.state), "--progress", "none", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_json_has_what_it_promises(recheck):
    code, out, err = recheck("--json")

    found = json.loads(out)
    assert code == 3
    assert found["schema"] == 1
    assert found["counts"] == {"there": 0, "changed": 0, "gone_once": 0, "gone": 0, "unknown": 1}
    (match,) = found["matches"]
    assert match["url"] == "http://127.0.0.1/a.jpg"
    assert match["path"] == "/p/one.jpg"
    assert (match["verdict"], match["http_status"]) == ("unknown", None)
    assert match["checked_at"].endswith("Z")
    assert match["detail"] == "127.0.0.1 is not a public address: not connected to"
    (page,) = match["pages"]
    assert (page["url"], page["verdict"], page["http_status"]) == (
        "http://site.invalid/page", "gone_once", None,
    )  # fmt: skip
    assert "recheck a day later" not in err  # the picture is not gone


def test_the_text_output_gives_the_reason(recheck):
    code, out, _ = recheck()

    assert code == 3
    assert "unknown    http://127.0.0.1/a.jpg\n" in out
    assert "page gone once: http://site.invalid/page" in out
    assert out.endswith("1 match: 1 unknown\n1 page: 1 gone once\n")


def test_nothing_to_ask_about(recheck):
    code, out, err = recheck("--disposition", "not-mine")

    assert (code, out) == (0, "0 matches: nothing to check\n")
    assert "No match is marked not_mine" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--disposition", "gone"), "there are open, reviewed"),
        (("--connect-to", "a:b"), "is not HOST:PORT:ADDRESS:PORT"),
        (("--domain", "nowhere.example"), "no match is known at nowhere.example"),
    ],
)
def test_mistakes_are_named(recheck, words, said):
    code, out, err = recheck(*words)

    assert code == 2
    assert said in err
    assert out == ""


def test_there_is_no_ledger_yet(tmp_path, capsys):
    assert main(["recheck", "--state", str(tmp_path)]) == 9
