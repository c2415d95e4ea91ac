from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import subprocess
import tracemalloc
import zipfile
from datetime import UTC, date, datetime

import pytest

from batchscan.allow import AllowRules, Rule
from batchscan.enums import Disposition
from batchscan.errors import StorageError, UsageError
from batchscan.evidence import pack_writer
from batchscan.evidence.manifest import SAFE_NAME
from batchscan.evidence.verify import verify
from batchscan.ledger import Ledger, Realm
from batchscan.ledger.decision_types import Choice, Decision, MarkResult
from batchscan.url_patterns import UrlPattern
from tests.support.evidence_ledgers import NOW, answer, answered, image, members, packed, records
from tests.support.inside import connection_of
from tests.support.pictures import jpeg, tree, with_exif
from tests.support.settling import settle

URL = "https://example.com/a.jpg"


def test_every_answer_of_every_generation_is_in_it_as_it_came(ledger, tmp_path):
    odd = b'{"matches":\r\n {"internet" : []},\xff\x00 "\xe2\x80\xae"}'
    picture = answered(ledger, image("/p/a.png"), answer(URL))
    answered(ledger, image("/p/a.png"), answer(body=odd, at=NOW), run="run-2")
    said = [each.answer for each in ledger.evidence.answers(picture)]

    done = packed(ledger, tmp_path / "e.zip", domains=["example.com"])
    inside = members(tmp_path / "e.zip")

    assert (done.pictures, done.answers, done.runs) == (1, 2, 2)
    assert inside[f"answers/{said[1].scan_id}.json"] == odd
    assert inside[f"answers/{said[0].scan_id}.json"] == said[0].body
    assert inside["runs/run-2.json"] == b'{"run": "run-2"}\n'
    (record,) = records(tmp_path / "e.zip")
    assert [each["file"] for each in record["answers"]] == [
        f"answers/{each.scan_id}.json" for each in said
    ]
    assert [each["run_file"] for each in record["answers"]] == [
        "runs/run-1.json",
        "runs/run-2.json",
    ]


def test_a_match_that_is_gone_is_still_shown_and_says_so(ledger, tmp_path):
    answered(ledger, image("/p/a.png"), answer(URL))
    answered(ledger, image("/p/a.png"), answer("https://other.example/b.jpg", at=NOW), run="run-2")

    packed(ledger, tmp_path / "e.zip", domains=["example.com"])
    (record,) = records(tmp_path / "e.zip")

    assert [(each["url"], each["state"]) for each in record["matches"]] == [
        ("https://other.example/b.jpg", "new"),
        (URL, "gone"),
    ]
    assert record["matches"][1]["last_seen"] == record["answers"][0]["received_at"]


def test_what_people_decided_and_which_rule_allows_are_beside_each_match(ledger, tmp_path):
    answered(ledger, image("/p/a.png"), answer(URL, "https://mine.example/a.jpg"))
    target = UrlPattern.of("example.com")
    choice = Choice(target.domain, target.covers)
    decision = Decision(Disposition.REVIEWED, NOW, "ann", "example.com", "a shop")
    ledger.dispositions.mark(choice, decision, MarkResult())
    rule = Rule("our own", UrlPattern.of("mine.example"), by="Ann", until=date(2027, 1, 1))

    packed(ledger, tmp_path / "e.zip", domains=["example.com"], rules=AllowRules([rule]))
    (record,) = records(tmp_path / "e.zip")
    found = {each["domain"]: each for each in record["matches"]}

    assert found["example.com"]["disposition"] == "reviewed"
    assert found["example.com"]["marked_at"] == "2026-11-23T18:02:37.250Z"
    assert found["example.com"]["decisions"] == [
        {
            "at": "2026-11-23T18:02:37.250Z", "who": "ann", "before": "open",
            "disposition": "reviewed", "note": "a shop", "undo": False,
        }
    ]  # fmt: skip
    assert found["mine.example"]["decisions"] == []
    assert found["example.com"]["allowed_by"] is None
    assert found["mine.example"]["disposition"] == "allowed"
    assert found["mine.example"]["allowed_by"] == {
        "what": "mine.example", "reason": "our own", "by": "Ann", "until": "2027-01-01",
    }  # fmt: skip


def test_the_page_of_many_pictures_begins_with_its_totals_and_their_names(ledger, tmp_path):
    for name, urls in (("a&b", [URL, "https://two.example/1"]), ("c", [URL])):
        answered(ledger, image(f"/p/{name}.png", name.encode()), answer(*urls))
    mistaken = Decision(Disposition.NOT_MINE, NOW, "ann", "two.example")
    target = UrlPattern.of("two.example")
    ledger.dispositions.mark(Choice(target.domain, target.covers), mistaken, MarkResult())

    packed(ledger, tmp_path / "e.zip", domains=["example.com"])
    page = members(tmp_path / "e.zip")["case.html"].decode().replace("&#39;", "'")

    assert "<dd>3 on 2 sites</dd>" in page
    listed = re.findall(r'<a href="#(p[0-9a-f]{64})">([^<]+)</a>, (\d match\w*)', page)
    assert {entry[1:] for entry in listed} == {("a&amp;b.png", "2 matches"), ("c.png", "1 match")}
    assert all(f'<article class="case" id="{entry[0]}">' in page for entry in listed)
    assert "on two.example, not a copy by the owner's decision</h3>" in page


def test_provenance_comes_from_the_ledger_else_from_the_file_else_it_is_not_recorded(
    ledger, tmp_path
):
    ours = {name: with_exif(jpeg(seed=n), {315: f"Ann {name}"}) for n, name in enumerate("abc")}
    tree(tmp_path, {f"{name}.jpg": data for name, data in ours.items()})
    for name, data in ours.items():
        picture = answered(ledger, image(str(tmp_path / f"{name}.jpg"), data, "jpeg"), answer(URL))
        if name == "a":
            ledger.previews.put(picture, None, b'{"creator": "Ann, then"}')
    (tmp_path / "c.jpg").write_bytes(ours["c"].replace(b"Ann", b"Bob"))

    packed(ledger, tmp_path / "e.zip", domains=["example.com"])
    said = {record["paths"][0]["path"][-5]: record["provenance"] for record in records(tmp_path / "e.zip")}  # fmt: skip

    assert (said["a"]["source"], said["a"]["creator"]) == ("read when it was sent", "Ann, then")
    assert (said["b"]["source"], said["b"]["creator"]) == ("read for this pack", "Ann b")
    assert (said["c"]["source"], said["c"]["creator"]) == ("not recorded", None)


def test_provenance_that_the_ledger_cannot_read_any_more_is_as_if_it_were_not_there(
    ledger, tmp_path
):
    picture = answered(ledger, image("/p/a.png"), answer(URL))
    ledger.previews.put(picture, None, b"nonsense")

    packed(ledger, tmp_path / "e.zip", domains=["example.com"])

    assert records(tmp_path / "e.zip")[0]["provenance"]["source"] == "not recorded"


def test_a_run_that_is_under_way_has_no_report_yet(ledger, tmp_path):
    ledger.runs.begin("now", "/out", NOW, b"{}")
    picture = image("/p/a.png")
    settle(ledger, ledger.claims.open(picture, 1, "now", NOW), answer(URL), "now")

    done = packed(ledger, tmp_path / "e.zip", domains=["example.com"])

    assert done.runs == 0
    assert records(tmp_path / "e.zip")[0]["answers"][0]["run_file"] is None


def test_a_pipe_where_the_picture_was_is_not_waited_for(ledger, tmp_path):
    os.mkfifo(tmp_path / "a.png")
    answered(ledger, image(str(tmp_path / "a.png")), answer(URL))

    packed(ledger, tmp_path / "e.zip", domains=["example.com"])

    assert records(tmp_path / "e.zip")[0]["provenance"]["source"] == "not recorded"


def test_the_manifest_and_the_sums_list_every_file(pack_file, tmp_path):
    inside = members(pack_file)
    manifest = json.loads(inside["manifest.json"])
    unpacked = tmp_path / "unpacked"
    tree(unpacked, inside)

    assert (manifest["pictures"], manifest["answers"], manifest["runs"]) == (2, 3, 2)
    assert manifest["asked_for"] == {"domains": ["example.com"], "images": []}
    assert manifest["service"] == "https://api.example.com"
    assert {each["name"] for each in manifest["files"]} == set(inside) - {
        "manifest.json", "SHA256SUMS",
    }  # fmt: skip
    for each in manifest["files"]:
        data = inside[each["name"]]
        assert (len(data), hashlib.sha256(data).hexdigest()) == (each["bytes"], each["sha256"])
    check = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=unpacked, capture_output=True, check=True
    )
    assert check.stdout.count(b": OK") == len(inside) - 1


def test_the_text_for_people_says_how_to_check_it_and_what_it_does_not_prove(pack_file):
    text = members(pack_file)["README.txt"].decode()

    assert "sha256sum -c SHA256SUMS" in text
    assert "WHAT THIS DOES NOT PROVE" in text
    assert "MOCK" not in text
    assert "$" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_mock_answers_are_called_that(tmp_path):
    ledger = Ledger.open(tmp_path, Realm("https://api.example.com", sandbox=True))
    answered(ledger, image("/p/a.png"), answer(URL))

    packed(ledger, tmp_path / "e.zip", domains=["example.com"])
    ledger.close()
    inside = members(tmp_path / "e.zip")

    assert b"These are MOCK answers" in inside["README.txt"]
    assert json.loads(inside["manifest.json"])["sandbox"] is True


def test_the_same_content_makes_the_same_file_dated_by_the_answers(ledger, pack_file, tmp_path):
    packed(ledger, tmp_path / "again.zip", domains=["example.com"])

    assert (tmp_path / "again.zip").read_bytes() == pack_file.read_bytes()
    with zipfile.ZipFile(pack_file) as opened:
        dates = {info.filename.split("/")[0]: info.date_time for info in opened.infolist()}
    moment = datetime.fromtimestamp(NOW - 1000, UTC).timetuple()[:5]
    assert dates["answers"][:5] == dates["README.txt"][:5] == moment


def test_names_are_our_own_whatever_pictures_and_urls_are_called(ledger, tmp_path):
    for number, path in enumerate(
        [b"/../../etc/\xff\x00"[:-1], b"/a\nb/=1.png", "/\u202eb".encode()]
    ):
        answered(
            ledger, image(os.fsdecode(path), bytes([number])), answer("https://example.com/\u202e")
        )

    packed(ledger, tmp_path / "e.zip", domains=["example.com"])
    inside = members(tmp_path / "e.zip")

    assert all(SAFE_NAME.fullmatch(name) for name in inside)
    assert len(records(tmp_path / "e.zip")) == 3
    assert not any("\u202e".encode() in data for name, data in inside.items() if "answers" not in name)  # fmt: skip


def test_an_id_in_the_ledger_that_is_none_of_ours_packs_nothing(ledger, tmp_path):
    answered(ledger, image("/p/a.png"), answer(URL), run="../run")

    with pytest.raises(StorageError, match="contains an invalid id"):
        packed(ledger, tmp_path / "e.zip", domains=["example.com"])
    assert not list(tmp_path.glob("*.zip")) + list(tmp_path.glob(".new*"))


def test_a_file_that_is_there_is_not_touched(ledger, pack_file):
    before = pack_file.read_bytes()

    with pytest.raises(UsageError, match="already exists"):
        packed(ledger, pack_file, domains=["example.com"])
    assert pack_file.read_bytes() == before


def test_a_dangling_link_is_there_too_and_a_folder_that_is_missing_is_reported(ledger, pack_file, tmp_path):  # fmt: skip
    (tmp_path / "link.zip").symlink_to("nowhere")

    with pytest.raises(UsageError, match="already exists"):
        packed(ledger, tmp_path / "link.zip", domains=["example.com"])
    with pytest.raises(UsageError, match="is not a directory"):
        packed(ledger, tmp_path / "none" / "e.zip", domains=["example.com"])


def test_a_pack_is_its_owners_alone(ledger, pack_file, tmp_path):
    old = os.umask(0)
    try:
        packed(ledger, tmp_path / "open.zip", domains=["example.com"])
    finally:
        os.umask(old)

    assert stat.S_IMODE((tmp_path / "open.zip").stat().st_mode) == 0o600
    assert os.listdir(tmp_path).count("open.zip") == 1
    assert not list(tmp_path.glob(".new*"))


def test_a_damaged_answer_in_the_ledger_is_reported_and_nothing_is_left(ledger, tmp_path):
    answered(ledger, image("/p/a.png"), answer(URL))
    connection_of(ledger).execute("UPDATE answers SET body = x'00'")

    with pytest.raises(StorageError, match="cannot be read"):
        packed(ledger, tmp_path / "e.zip", domains=["example.com"])
    assert not list(tmp_path.glob("*.zip")) + list(tmp_path.glob(".new*"))


def test_too_much_for_one_pack_is_reported(ledger, pack_file, tmp_path, monkeypatch):
    monkeypatch.setattr(pack_writer, "MAX_FILES", 3)

    with pytest.raises(UsageError, match="more than 3 files"):
        packed(ledger, tmp_path / "e.zip", domains=["example.com"])
    assert not (tmp_path / "e.zip").exists()


def test_an_answer_to_the_same_scan_id_that_came_twice_is_in_it_twice(ledger, tmp_path):
    picture = answered(ledger, image("/p/a.png"), answer(URL))
    (first,) = (each.answer for each in ledger.evidence.answers(picture))
    connection_of(ledger).execute(
        "INSERT INTO answers (id, picture_id, generation, scan_id, run_id, received_at, credits,"
        " body, reader) SELECT 99, picture_id, generation, scan_id, run_id, received_at, credits,"
        " body, reader FROM answers"
    )

    packed(ledger, tmp_path / "e.zip", domains=["example.com"])

    names = [name for name in members(tmp_path / "e.zip") if name.startswith("answers/")]
    assert names == [f"answers/{first.scan_id}.json", f"answers/{first.scan_id}-99.json"]


def _peak(ledger, path, domain: str) -> int:
    """Bytes that packing took at most."""
    tracemalloc.start()
    packed(ledger, path, domains=[domain])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_memory_holds_one_answer_at_a_time(ledger, tmp_path):
    size = 500_000
    for number in range(20):
        body = json.dumps({"padding": f"{number:x}" * (size // len(f"{number:x}"))}).encode()
        answered(ledger, image(f"/p/{number}.png", bytes([number])), answer(URL, body=body))

    assert _peak(ledger, tmp_path / "e.zip", "example.com") < 6 * size


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_answers(ledger, tmp_path):
    with ledger.transaction():
        for number in range(330):
            domain = "few.example" if number < 30 else "many.example"
            said = answer(f"https://{domain}/{number}.jpg")
            answered(ledger, image(f"/p/{number}.png", b"%d" % number), said)
    few = _peak(ledger, tmp_path / "few.zip", "few.example")
    many = _peak(ledger, tmp_path / "many.zip", "many.example")

    # The pictures' numbers remain; what a zip's directory and the lists know of each is 1,700 bytes.
    assert many < few + 300 * 500


def test_a_pack_of_more_files_than_a_plain_zip_can_count_is_one_that_others_read(
    ledger, pack_file, tmp_path, monkeypatch
):
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 3)
    packed(ledger, tmp_path / "large.zip", domains=["example.com"])

    assert b"PK\6\6" in (tmp_path / "large.zip").read_bytes()
    assert members(tmp_path / "large.zip") == members(pack_file)
    with open(tmp_path / "large.zip", "rb") as file:
        assert verify(file).faults == ()


def test_a_pack_that_a_zip_cannot_hold_is_reported(ledger, pack_file, tmp_path, monkeypatch):
    monkeypatch.setattr(pack_writer, "MAX_BYTES", 10_000)

    with pytest.raises(UsageError, match="more than 4 GB"):
        packed(ledger, tmp_path / "e.zip", domains=["example.com"])
