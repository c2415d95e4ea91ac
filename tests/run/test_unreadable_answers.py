"""Answers whose matches cannot be read: kept, paid for once, never called 'no match'."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable
from contextlib import closing

from batchscan.commands.state_check import check
from batchscan.ledger import FILE_NAME
from tests.support.answering import LATER, answering, match, said
from tests.support.pictures import png, tree

ERROR = {"code": 16, "message": "something broke"}
LENGTHY = b"9" * 100_000 + b"}"
NOTHING = {"totalMatches": 0, "fullMatches": 0, "partialMatches": 0}


def bare(internet: object, score: object = None, **more: object) -> bytes:
    return json.dumps({"matches": {"internet": internet, "score": score}, **more}).encode()


RENAMED = [{"imageUrl": f"https://a{n}.example/", "matchType": 0} for n in range(3)]
UNREADABLE = {
    "renamed keys": lambda scan_id: said(scan_id, *RENAMED),
    "renamed keys, no score": lambda _: bare(RENAMED),
    "texts": lambda scan_id: said(scan_id, "https://a.example/1.jpg"),
    "lists, nulls and numbers": lambda _: bare([[], None, 7]),
    "empty addresses": lambda scan_id: said(scan_id, {"url": " ", "matchType": 0}),
    "fewer than counted": lambda scan_id: said(scan_id, total=5),
    "one of several": lambda scan_id: said(scan_id, match(1), {"link": "x"}, match(2)),
    "counted as text": lambda _: bare([], NOTHING | {"totalMatches": "5"}),
    "counted by kind only": lambda _: bare([], {"fullMatches": 2, "partialMatches": 1}),
    "counted beyond belief": lambda _: bare([], NOTHING | {"totalMatches": 1e300}),
    "counted without end": lambda _: bare([], NOTHING | {"totalMatches": math.inf}),
    "counted at length": lambda _: bare([], {"totalMatches": 7}).replace(b"7}", LENGTHY),
    "counted by another name": lambda scan_id: said(scan_id).replace(b'lMatches": 0', b'l": 3'),
    "entries by another name": lambda _: json.dumps(
        {"matches": {"internet": [], "web": [match(1)], "score": NOTHING}}
    ).encode(),
    "a failure by another name": lambda scan_id: said(scan_id, success=False),
    "an error within errors": lambda scan_id: said(scan_id, error="").replace(
        b'"error": ""', b'"error": ' + b"[" * 900 + b"1" + b"]" * 900
    ),
    "an error": lambda scan_id: said(scan_id, error=ERROR),
    "errors": lambda scan_id: said(scan_id, Errors=["no index"]),
    "an error among the matches": lambda _: json.dumps(
        {"matches": {"internet": [], "score": NOTHING, "error": "timeout"}}
    ).encode(),
    "no matches": lambda _: b'{"scannedImage": {"actualCredits": 1}}',
    "matches that are null": lambda _: b'{"matches": null}',
    "matches that are a list": lambda _: json.dumps({"matches": [match(1)]}).encode(),
    "a null list": lambda _: bare(None),
    "an object for a list": lambda _: bare({"0": match(1)}),
    "cut off": lambda scan_id: said(scan_id, match(1))[:-20],
    "two lists": lambda _: (
        b'{"matches": {"internet": [{"url": "https://a.example/", "matchType":'
        b' 0}], "internet": []}}'
    ),
    "deep": lambda _: b'{"matches": {"internet": ' + b"[" * 100_000,
    "UTF-16 cut off": lambda scan_id: said(scan_id, match(1)).decode().encode("utf-16")[:-9],
}
READABLE = {
    "nothing found": lambda scan_id: (said(scan_id), 0),
    "no score": lambda _: (b'{"matches": {"internet": []}}', 0),
    "an error that is none": lambda scan_id: (said(scan_id, error=None, errors=[]), 0),
    "more than counted": lambda scan_id: (said(scan_id, match(1), total=0), 1),
    "another kind": lambda scan_id: (said(scan_id, match(1, 7)), 1),
    "UTF-16": lambda scan_id: (said(scan_id, match(1)).decode().encode("utf-16"), 1),
    "a byte order mark": lambda scan_id: (b"\xef\xbb\xbf" + said(scan_id, match(1)), 1),
    "a long number": lambda scan_id: (said(scan_id, match(1), n=7).replace(b"7}", LENGTHY), 1),
    "NaN": lambda scan_id: (said(scan_id, match(1), quality=float("nan")), 1),
    "no UTF-8": lambda scan_id: (said(scan_id, match(1), name="x").replace(b'"x"', b'"\xff"'), 1),
    "the same key elsewhere": lambda scan_id: (
        said(scan_id, match(1), more={"matches": {"internet": [{}]}}),
        1,
    ),
}


def pictures(kinds: Iterable[str]) -> dict[str, bytes]:
    """One for each kind of answer, called like it."""
    return {f"{kind}.png": png(16, 16, number) for number, kind in enumerate(kinds)}


async def test_unreadable_answers_are_kept_paid_once_and_never_reported_clean(tmp_path):
    async with answering(tmp_path, lambda kind, scan_id: UNREADABLE[kind](scan_id)) as service:
        tree(service.images, pictures(UNREADABLE))
        codes = []
        for fail_on in ("any", "full", "new", "none"):
            code, out, _ = await service.run("--fail-on", fail_on)
            codes.append(code)
            lines = service.last_lines()
            assert {kind.removesuffix(".png") for kind in lines} == set(UNREADABLE)
            for line in lines.values():
                assert (line.status, line.reason) == ("failed", "bad_response"), line.path
                assert "kept" in line.detail
            assert f"{len(UNREADABLE)} unusable response" in out
        assert codes == [3] * 4
        assert set(service.paid().values()) == {1}
        with closing(sqlite3.connect(tmp_path / "state" / FILE_NAME)) as ledger:
            kept = ledger.execute("SELECT count(*) FROM answers").fetchone()
        assert kept == (len(UNREADABLE),)
        assert [each.what for each in check(tmp_path / "state") if each.level == "problem"] == []


async def test_what_is_only_odd_is_an_answer(tmp_path):
    async with answering(tmp_path, lambda kind, scan_id: READABLE[kind](scan_id)[0]) as service:
        tree(service.images, pictures(READABLE))
        code, _, err = await service.run()

        assert code == 0, err
        found = {kind: len(line.matches) for kind, line in service.last_lines().items()}
        assert found == {f"{kind}.png": READABLE[kind]("x")[1] for kind in READABLE}


async def test_what_could_be_read_of_it_is_shown_and_takes_nothing_away(tmp_path):
    answers = iter(
        (
            lambda scan_id: said(scan_id, match(1), match(2)),
            lambda scan_id: said(scan_id, match(2), match(3), total=4),
            lambda scan_id: said(scan_id, match(3)),
        )
    )
    async with answering(tmp_path, lambda _, scan_id: next(answers)(scan_id)) as service:
        tree(service.images, {"a.png": png(16, 16, 1), "copy.png": png(16, 16, 1)})
        assert (await service.run())[0] == 0
        assert (await service.run("--force", "--fail-on", "any"))[0] == 3
        lines = service.last_lines()
        assert {line.status for line in lines.values()} == {"failed"}
        assert sorted(line.credits for line in lines.values()) == [0, 1]
        for line in lines.values():
            assert [(m.url[-5:], m.state) for m in line.matches] == [
                ("2.jpg", "known"),
                ("3.jpg", "new"),
            ]
        code, out, _ = await service.run("--json")
        assert code == 3
        assert json.loads(out)["matches"]["total"] == 3
        assert json.loads(out)["files"]["unchanged"] == 0
        code, out, _ = await service.run("--force", "--json")
        assert code == 0
        assert json.loads(out)["matches"]["total"] == 1
        assert len(service.asked) == 3


async def test_a_version_that_can_read_it_does_so_for_nothing(tmp_path):
    async with answering(tmp_path, lambda _, scan_id: said(scan_id, *RENAMED)) as service:
        tree(service.images, {"a.png": png(16, 16, 1)})
        assert (await service.run())[0] == 3
        later = tmp_path / "later.py"
        later.write_text(LATER)
        code, out, err = await service.run("--json", "--fail-on", "new", program=(str(later),))

        assert code == 10, err
        assert json.loads(out)["matches"]["full"] == json.loads(out)["matches"]["new"] == 3
        assert json.loads(out)["credits"]["charged"] == 0
        line = service.last_lines()["a.png"]
        assert (line.status, len(line.matches), line.credits) == ("reused", 3, 0)
        code, out, _ = await service.run("--json", program=(str(later),))
        assert code == 0
        assert json.loads(out)["files"]["unchanged"] == 1
        assert len(service.asked) == 1


async def test_two_entries_of_one_address_are_its_worst_kind_with_all_pages(tmp_path):
    first = {"url": "https://a.example.com/a.jpg", "matchType": 1, "webPages": [{"url": "p1"}]}
    same = first | {"matchType": 0, "webPages": [{"url": "p2"}, {"url": "p1"}]}
    other = same | {"url": "http://A.example.com:80/a.jpg#x", "webPages": [{"url": "p3"}]}
    async with answering(tmp_path, lambda _, i: said(i, first, same, other)) as service:
        tree(service.images, {"a.png": png(16, 16, 1)})
        code, out, _ = await service.run("--fail-on", "full", "--json")

        assert code == 10
        assert json.loads(out)["matches"]["full"] == json.loads(out)["matches"]["total"] == 1
        (found,) = service.last_lines()["a.png"].matches
        assert found.kind == "full"
        assert found.pages == ["p1", "p2", "p3"]
