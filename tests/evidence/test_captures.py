"""Captures in packs: byte for byte, on the page for people, and looked into when checked."""

from __future__ import annotations

import gzip
import io
import json
import re
from dataclasses import replace
from hashlib import sha256

import pytest
from PIL import Image

from batchscan.capture.capturer import Capturer
from batchscan.enums import CaptureKind, Disposition
from batchscan.evidence.verify import ALTERED, Discrepancy, verify
from batchscan.images.decoding.pool import Decoders
from batchscan.ledger.captures import Timestamp
from batchscan.ledger.decision_types import Choice, Decision, MarkResult
from batchscan.ledger.match_choice import MatchChoice
from tests.support.evidence_ledgers import NOW, answer, answered, image, members, packed, rezipped
from tests.support.pictures import png
from tests.support.web_sites import NOT_THERE, ok, redirect, site

URL = "http://site.example/copy.png"
COPY = png(64, 48, 3)


def answers(path: str) -> bytes:
    return ok(COPY, "Content-Type: image/png") if path == "/copy.png" else NOT_THERE


@pytest.fixture(scope="module")
def decoders():
    opened = Decoders(1)
    yield opened
    opened.close()


@pytest.fixture
async def captured(ledger, decoders):
    """A match with a real capture, its decisions, and a pack about it; gives the file."""
    answered(ledger, image("/p/<b>ours.png"), answer(URL))
    decision = Decision(Disposition.NOTICED, NOW, "ann", "site.example", "by <i>mail</i>")
    choice = Choice(None, lambda _: True)
    ledger.dispositions.mark(choice, decision, MarkResult())
    [match] = ledger.chosen_matches.find(MatchChoice())
    async with site(answers) as web:
        capturer = Capturer(web.client(), decoders, str(ledger.path.parent), "ann", lambda: NOW)
        return match, await capturer.capture(match)


def page_of(path) -> str:
    return members(path)["case.html"].decode().replace("&#39;", "'")


def test_a_pack_holds_captures_byte_for_byte_and_says_what_is_in_them(ledger, captured, tmp_path):
    match, file = captured
    ledger.captures.add(match.place, file)
    made = packed(ledger, tmp_path / "e.zip", domains=["site.example"])
    inside = members(tmp_path / "e.zip")

    on_disk = (ledger.path.parent / "captures" / file.name).read_bytes()
    assert (made.captures, made.missing) == (1, ())
    assert inside[f"captures/{file.name}"] == on_disk
    [record] = [json.loads(data) for name, data in inside.items() if name[:9] == "pictures/"]
    [capture] = record["matches"][0]["captures"]
    assert (capture["file"], capture["sha256"]) == (f"captures/{file.name}", file.sha256)
    assert [(each["kind"], each["http_status"]) for each in capture["resources"]] == [
        ("picture", 200), ("page", 404),
    ]  # fmt: skip
    assert json.loads(inside["manifest.json"])["captures"] == 1
    with open(tmp_path / "e.zip", "rb") as opened:
        checked = verify(opened)
    assert (checked.faults, checked.captures.files, checked.captures.records) == ((), 1, 5)


def test_the_page_shows_ours_theirs_and_what_was_decided_and_runs_nothing(
    ledger, captured, tmp_path
):
    match, file = captured
    ledger.captures.add(match.place, file)
    packed(ledger, tmp_path / "e.zip", domains=["site.example"])
    page = page_of(tmp_path / "e.zip")

    images = re.findall(r'src="(data:image/jpeg;base64,[^"]+)"', page)
    assert len(images) == 1  # no small picture of ours was kept
    assert "&lt;b&gt;ours.png" in page
    for words in ("noticed", "by ann", "by &lt;i&gt;mail&lt;/i&gt;", "marked as sent 2026-11-23",
                  URL.replace("site.example", "<b>site.example</b>"), file.sha256, "HTTP 404",
                  "captured 2026-11-23 18:02 UTC", "first 2026-11-23"):  # fmt: skip
        assert words in page, words
    assert "<script" not in page
    assert "default-src 'none'; img-src data:; style-src 'sha256-" in page
    assert not re.search(r'(?:src|href)="(?!data:|https?://)', page)


def test_the_longest_note_is_whole_on_the_page(ledger, tmp_path):
    answered(ledger, image("/p/ours.png"), answer(URL))
    note = "They sell it as a poster. " * 76
    decision = Decision(Disposition.REVIEWED, NOW, "ann", "site.example", note)
    ledger.dispositions.mark(Choice(None, lambda _: True), decision, MarkResult())
    packed(ledger, tmp_path / "e.zip", domains=["site.example"])

    assert note in page_of(tmp_path / "e.zip")


@pytest.mark.parametrize("harm", ["gone", "altered"])
def test_a_capture_that_is_not_as_it_was_written_is_named_and_left_out(
    ledger, captured, tmp_path, harm
):
    match, file = captured
    ledger.captures.add(match.place, file)
    path = ledger.path.parent / "captures" / file.name
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    made = packed(ledger, tmp_path / "e.zip", domains=["site.example"])

    assert (made.captures, made.missing) == (0, (file.name,))
    assert f"captures/{file.name}" not in members(tmp_path / "e.zip")
    assert "not in here: it" in page_of(tmp_path / "e.zip")
    with open(tmp_path / "e.zip", "rb") as opened:
        assert verify(opened).faults == ()


def test_a_capture_that_was_changed_before_it_was_packed_anew_is_found_out(
    ledger, captured, tmp_path
):
    """Whoever makes a whole new pack has the manifest agree, but not the records' own digests."""
    match, file = captured
    ledger.captures.add(match.place, file)
    packed(ledger, tmp_path / "e.zip", domains=["site.example"])
    inside = members(tmp_path / "e.zip")
    name = f"captures/{file.name}"
    plain = gzip.decompress(inside[name]).replace(b"image/png", b"image/gif")
    inside[name] = gzip.compress(plain)

    [fault] = faults_of(tmp_path / "e.zip", inside)
    assert (fault.what, fault.name) == (ALTERED, name)
    assert "digest" in fault.detail or "WARC" in fault.detail


def faults_of(path, inside: dict[str, bytes]) -> tuple[Discrepancy, ...]:
    """What is found in a pack that was made anew of these files, with a manifest that agrees."""
    manifest = json.loads(inside["manifest.json"])
    for each in manifest["files"]:
        data = inside[each["name"]]
        each |= {"bytes": len(data), "sha256": sha256(data).hexdigest()}
    inside["manifest.json"] = json.dumps(manifest).encode()
    lines = [f"{each['sha256']}  {each['name']}\n" for each in manifest["files"]]
    lines.append(f"{sha256(inside['manifest.json']).hexdigest()}  manifest.json\n")
    inside["SHA256SUMS"] = "".join(lines).encode()
    return looked_into(rezipped(path, inside))


def looked_into(path) -> tuple[Discrepancy, ...]:
    with open(path, "rb") as opened:
        return verify(opened).faults


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sha256": "ab" * 32}, "does not contain what pictures/ says about http://site.example/"),
        ({"http_status": 404}, "does not contain what pictures/ says"),
        ({"position": 0}, "does not contain what pictures/ says"),
        ({"position": 7}, "does not contain what pictures/ says"),
        ({"position": 2**70}, "does not contain what pictures/ says"),
        ({"position": -1}, "does not contain what pictures/ says"),
        ({}, None),
    ],
)
def test_the_description_of_a_capture_must_agree_with_its_contents(
    ledger, captured, tmp_path, change, said
):
    match, file = captured
    ledger.captures.add(match.place, file)
    packed(ledger, tmp_path / "e.zip", domains=["site.example"])
    inside = members(tmp_path / "e.zip")
    [name] = [name for name in inside if name.startswith("pictures/")]
    record = json.loads(inside[name])
    picture, *_ = record["matches"][0]["captures"][0]["resources"]
    picture |= change
    inside[name] = json.dumps(record).encode()

    faults = faults_of(tmp_path / "e.zip", inside)
    assert [fault.name for fault in faults] == ([f"captures/{file.name}"] if said else [])
    assert all(said in fault.detail for fault in faults if said)


def test_the_hash_of_a_captures_file_has_to_be_the_one_that_was_kept(ledger, captured, tmp_path):
    match, file = captured
    ledger.captures.add(match.place, file)
    packed(ledger, tmp_path / "e.zip", domains=["site.example"])
    inside = members(tmp_path / "e.zip")
    [name] = [name for name in inside if name.startswith("pictures/")]
    inside[name] = inside[name].replace(file.sha256.encode(), b"cd" * 32)

    [fault] = faults_of(tmp_path / "e.zip", inside)
    assert "another SHA-256" in fault.detail


async def test_bodies_are_held_against_their_hashes_however_they_came(ledger, decoders, tmp_path):
    shown = {
        "/copy.png": ok(gzip.compress(COPY), "Content-Encoding: gzip"),
        "/page.html": ok(b"br?", "Content-Encoding: br", status="404 Not Found"),
        "/moved": redirect("/copy.png"),
    }
    pages = ("http://site.example/page.html", "http://site.example/moved")
    answered(ledger, image("/p/ours.png"), answer(URL))
    [found] = ledger.chosen_matches.find(MatchChoice())
    match = found._replace(pages=pages)
    async with site(lambda path: shown.get(path, NOT_THERE)) as web:
        capturer = Capturer(web.client(), decoders, str(ledger.path.parent), "ann", lambda: NOW)
        file = await capturer.capture(match)
    ledger.captures.add(match.place, file)
    packed(ledger, tmp_path / "e.zip", domains=["site.example"])

    assert looked_into(tmp_path / "e.zip") == ()
    assert file.resources[0].sha256 == sha256(COPY).hexdigest()


def test_an_unreadable_timestamp_is_packed_and_reported(ledger, captured, tmp_path):
    match, file = captured
    stamped = replace(file, timestamp=Timestamp("http://tsa.example/", b"odd answer", None))
    ledger.captures.add(match.place, stamped)
    packed(ledger, tmp_path / "e.zip", domains=["site.example"])

    assert members(tmp_path / "e.zip")[f"captures/{file.name}.tsr"] == b"odd answer"
    with open(tmp_path / "e.zip", "rb") as opened:
        checked = verify(opened)
    assert checked.faults == ()
    assert checked.captures.unread == [f"captures/{file.name}.tsr"]


def test_theirs_is_made_anew_from_what_was_captured(captured):
    _, file = captured
    [picture] = [each for each in file.resources if each.kind is CaptureKind.PICTURE]
    with Image.open(io.BytesIO(picture.preview)) as small:
        assert small.size == (64, 48)
