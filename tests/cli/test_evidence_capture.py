"""`batchscan evidence capture` over a real ledger, against a site on loopback."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from batchscan.cli import main
from batchscan.images.thumbnail import thumbnail
from batchscan.ledger import FILE_NAME, Ledger, Realm
from batchscan.rechecked import ALIKE
from batchscan.settings import Api
from tests.support.inside import connection_of
from tests.support.ledger_entries import enter, shown
from tests.support.pictures import png
from tests.support.timestamp_authority import make_authority, serving
from tests.support.web_sites import NOT_THERE, Site, ok, site

COPY = png(32, 24, 3)
SHOWN: dict[str, bytes] = {}  # what a test has its own address answer


def answers(path: str) -> bytes:
    if path in SHOWN:
        return ok(SHOWN[path], "Content-Type: image/png")
    if path.endswith(".png"):
        return ok(COPY, "Content-Type: image/png")
    return ok(b"<p>page", "Content-Type: text/html") if path == "/page" else NOT_THERE


@pytest.fixture(scope="module")
def web() -> Iterator[Site]:
    """A site in a thread of its own, as commands have loops of their own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    serving = site(answers)
    try:
        yield asyncio.run_coroutine_threadsafe(serving.__aenter__(), loop).result()
        asyncio.run_coroutine_threadsafe(serving.__aexit__(None, None, None), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    ledger = Ledger.open(folder, Realm(Api().url, sandbox=False))
    enter(ledger, "/pics/lakes/a.jpg", [shown("http://a.example/1.png", "http://a.example/page")])
    enter(ledger, "/pics/b.jpg", [shown("http://b.example/2.png"), shown("http://c.example/3.png")])
    ledger.close()
    return folder


@pytest.fixture
def capture(state, web, capsys):
    config = state.parent / "c.yaml"
    config.write_text("recheck: {pause: 0s}\n")

    def run(*words: str) -> tuple[int, str, str]:
        rule = f":80:127.0.0.1:{web.port}"
        given = ["-c", str(config), "--state", str(state), "--connect-to", rule, *words]
        code = main(["evidence", "capture", *given])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def captured(state) -> set[str]:
    with closing(sqlite3.connect(state / FILE_NAME)) as ledger:
        return {key for (key,) in ledger.execute("SELECT key FROM capture_files")}


@pytest.mark.parametrize(
    ("words", "names"),
    [
        pytest.param(["--domain", "a.example"], {"a"}, marks=pytest.mark.slow),
        (["--domain", "a.example", "--domain", "c.example"], {"a", "c"}),
        pytest.param(["--images", "lakes/"], {"a"}, marks=pytest.mark.slow),
        (["--url", "http://b.example/*"], {"b"}),
        pytest.param(["--disposition", "reviewed"], {"b"}, marks=pytest.mark.slow),
        ([], {"b"}),
        (["--disposition", "open", "--images", "b.jpg"], {"c"}),
    ],
)
def test_what_is_chosen_is_captured_and_in_the_ledger(capture, state, capsys, words, names):
    assert main(["mark", "reviewed", "b.example", "--state", str(state)]) == 0
    capsys.readouterr()
    code, out, err = capture(*words)

    assert (code, "captured" in out) == (0, True), err
    assert {key[0] for key in captured(state)} == names
    assert len(list((state / "captures").iterdir())) == len(names)


def test_json_says_everything(capture, state):
    code, out, _ = capture("--domain", "a.example", "--json")
    said = json.loads(out)

    assert (code, said["schema"], said["counts"]) == (0, 1, {"captured": 1, "incomplete": 0})
    [match] = said["matches"]
    assert match["url"] == "http://a.example/1.png"
    assert match["file"].startswith(str(state / "captures"))
    assert [(each["kind"], each["http_status"]) for each in match["resources"]] == [
        ("picture", 200), ("page", 200),
    ]  # fmt: skip


URL = "http://e.example/5.png"
OURS, THEIRS = png(320, 240, 5), png(320, 240, 6)


@pytest.fixture
def likeness_of(capture, state):
    """Captures what is shown there now; to what was first fetched, and to ours, 0 to 1."""
    ledger = Ledger.open(state, Realm(Api().url, sandbox=False))
    enter(ledger, "/pics/e.jpg", [shown(URL)])
    with ledger.transaction(), Image.open(io.BytesIO(OURS)) as opened:
        connection_of(ledger).execute(
            "INSERT INTO portraits (picture_id, thumbnail, provenance)"
            " SELECT picture_id, ?, '{}' FROM sightings WHERE url = ?",
            (thumbnail(opened), URL),
        )
    ledger.close()

    def of(body: bytes) -> tuple[float | None, float]:
        SHOWN["/5.png"] = body
        code, out, err = capture("--url", URL, "--json")
        assert code == 0, err
        [picture] = json.loads(out)["matches"][0]["resources"]
        assert f"{picture['our_likeness']:.0%} like ours" in err
        return picture["likeness"], picture["our_likeness"]

    return of


def test_their_picture_is_compared_with_ours_and_with_what_was_captured_first(likeness_of):
    first, our = likeness_of(OURS)
    assert (first, our > 0.9) == (None, True)
    assert likeness_of(OURS)[0] == 1.0
    smaller, our = likeness_of(png(160, 120, 5))
    assert min(smaller, our) > 0.9
    other, our = likeness_of(THEIRS)
    assert max(other, our) < ALIKE


def test_a_page_in_place_of_a_picture_is_not_called_one(capture, state):
    SHOWN["/2.png"] = b"<html>not found"
    code, _, err = capture("--url", "http://b.example/2.png")
    del SHOWN["/2.png"]

    assert code == 0
    assert "picture HTTP 200, but it cannot be shown as a picture; " in err


def test_what_was_captured_is_what_reviews_show_and_rechecks_compare_with(
    likeness_of, state, web, capsys
):
    likeness_of(OURS)
    other, our = likeness_of(THEIRS)
    ledger = Ledger.open(state, Realm(Api().url, sandbox=False))
    [(picture_id, key, _)] = ledger.captures.captured()
    last = ledger.captures.preview(picture_id, key)
    ledger.close()
    assert last is not None
    assert last.likeness == pytest.approx(other, abs=0.01)
    assert last.our_likeness == pytest.approx(our, abs=0.01)

    words = ["--url", URL, "--connect-to", f":80:127.0.0.1:{web.port}", "--json"]
    assert main(["recheck", "--state", str(state), *words]) == 0
    [checked] = json.loads(capsys.readouterr().out)["matches"]
    assert checked["verdict"] == "changed"
    assert checked["likeness"] == pytest.approx(other, abs=0.02)


def test_no_private_address_is_connected_to_without_a_rule(state, web, capsys):
    before = len(web.heads)
    ledger = Ledger.open(state, Realm(Api().url, sandbox=False))
    enter(ledger, "/pics/d.jpg", [shown(f"http://127.0.0.1:{web.port}/4.png")])
    ledger.close()
    code = main(["evidence", "capture", "--state", str(state), "--domain", "127.0.0.1"])

    assert code == 3
    assert "only ports 80 and 443 are used" in capsys.readouterr().err
    assert len(web.heads) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no match was selected"),
        (["--domain", "nowhere.example"], "no match was selected"),
        (["--disposition", "maybe"], "'maybe': the words are open, reviewed"),
        (["--connect-to", "x"], "is not HOST:PORT:ADDRESS:PORT"),
        (["--timestamp", "ftp://x"], "is not an http:// or https:// address"),
    ],
)
def test_a_usage_error_is_reported_and_nothing_is_captured(capture, state, words, said):
    code, _, err = capture(*words)

    assert (code, captured(state)) == (2, set())
    assert said in err


def test_a_timestamp_is_kept_beside_the_file_and_openssl_accepts_it(capture, state, tmp_path):
    authority = make_authority(tmp_path / "tsa")
    with serving(authority) as url:
        code, out, err = capture("--domain", "a.example", "--timestamp", url)

    [data] = (state / "captures").glob("*.warc.gz")
    response = data.with_name(f"{data.name}.tsr")
    assert code == 0, err
    assert f"openssl ts -verify -data {data} -in {response} -CAfile CA.pem" in out
    assert authority.verifies(data, response)
    assert stat.S_IMODE(response.stat().st_mode) == 0o600

    pack = tmp_path / "e.zip"
    state_of = ("--state", str(state))
    assert main(["evidence", "pack", "--domain", "a.example", "--to", str(pack), *state_of]) == 0
    roots = ("--timestamp-ca", str(authority.roots))
    assert main(["evidence", "verify", str(pack), *roots]) == 0


def test_an_unreachable_timestamp_authority_is_reported_and_the_capture_kept(capture, state):
    code, _, err = capture("--domain", "a.example", "--timestamp", "http://127.0.0.1:9/tsa")

    assert code == 3
    assert "timestamp: http://127.0.0.1:9/tsa cannot be reached" in err
    assert len(list((state / "captures").glob("*.warc.gz"))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_and_what_is_not_whole_is_left_out(state, web, signum):
    config = state.parent / "c.yaml"
    config.write_text("recheck: {pause: 30s}\n")  # the second request never comes
    rule = f":80:127.0.0.1:{web.port}"
    before = len(web.heads)
    process = subprocess.Popen(
        [
            sys.executable, "-m", "batchscan", "evidence", "capture", "-c", str(config),
            "--state", str(state), "--connect-to", rule, "--images", "*",
        ],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while len(web.heads) == before:
        time.sleep(0.05)
    process.send_signal(signum)
    _, err = process.communicate(timeout=120)

    assert process.returncode == 128 + signum
    assert "interrupted; 3 of 3 matches were not captured" in err
    assert captured(state) == set()
    assert not list((state / "captures").glob("*")) if (state / "captures").exists() else True


@pytest.fixture
def state_command(state, capsys):
    def run(*words: str) -> tuple[int, str, str]:
        code = main(["state", *words, "--state", str(state), "-o", str(state.parent / "output")])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_backup_holds_the_captures_and_can_be_put_back(capture, state, state_command):
    capture("--domain", "a.example")
    capture("--domain", "b.example")
    before = contents(state / "captures")
    copy = state.parent / "copy"
    code, out, _ = state_command("backup", str(copy))

    assert (code, "2 captures" in out) == (0, True)
    kept = state.parent / "copy.captures"
    assert contents(kept) == before
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept.iterdir()} == {0o600}

    shutil.rmtree(state)
    (state / "captures").mkdir(mode=0o700, parents=True)
    state.chmod(0o700)
    shutil.copy(copy, state / FILE_NAME)
    shutil.copytree(kept, state / "captures", dirs_exist_ok=True)
    code, out, _ = state_command("check")
    assert (code, "ok       captures: 2 checked" in out) == (0, True), out


def test_nothing_is_left_of_a_backup_whose_captures_have_no_room(capture, state, state_command):
    capture("--domain", "a.example")
    (state.parent / "copy.captures").write_bytes(b"mine")
    code, _, err = state_command("backup", str(state.parent / "copy"))

    assert (code, "is there already" in err) == (2, True)
    assert not (state.parent / "copy").exists()
    assert (state.parent / "copy.captures").read_bytes() == b"mine"
    assert not list(state.parent.glob(".new-*"))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (Path.unlink, "it does not exist"),
        (lambda path: path.write_bytes(b"other"), "it was altered after the capture"),
    ],
)
def test_a_capture_that_was_lost_or_altered_is_named_and_the_rest_is_kept(
    capture, state, state_command, harm, said
):
    capture("--domain", "a.example")
    capture("--domain", "b.example")
    first, second = sorted((state / "captures").iterdir())
    harm(first)

    code, out, _ = state_command("check")
    assert (code, f"{first.name}: {said}" in out) == (9, True)
    code, _, err = state_command("backup", str(state.parent / "copy"))
    assert (code, f"not copied: {first.name}: {said}" in err) == (3, True)
    assert list(contents(state.parent / "copy.captures")) == [second.name]


def test_prune_keeps_captures_and_takes_their_unfinished_files(capture, state, state_command):
    capture("--domain", "a.example")
    before = contents(state / "captures")
    half = state / "captures" / ".new-abc"
    half.write_bytes(b"half")
    os.utime(half, (1, 1))
    code, _, err = state_command("prune", "--older-than", "0s")

    assert (code, contents(state / "captures")) == (0, before), err
