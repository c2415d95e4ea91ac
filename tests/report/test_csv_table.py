from __future__ import annotations

import csv
import io

import pytest

from batchscan.enums import Disposition, MatchKind, MatchState
from batchscan.model import Provenance
from batchscan.report import csv_table
from batchscan.util.escaping import MAX_CELL
from tests.support.report_builders import HOSTILE, everything, match, picture, report_of


def written(*pictures) -> bytes:
    return b"".join(csv_table.render(report_of(pictures), pictures))


def rows(*pictures) -> list[dict[str, str]]:
    text = written(*pictures).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_a_match_has_a_row_for_each_page_and_one_where_it_has_none():
    found = rows(
        picture(
            "/pics/a.jpg",
            match(
                "http://e.example/1.jpg", MatchKind.FULL, "http://e.example/p", "http://e.example/q"
            ),
            match("http://e.example/2.jpg", MatchKind.PARTIAL),
        ),
        picture("/pics/none.jpg"),
    )

    assert [(row["url"][-5:], row["kind"], row["page"]) for row in found] == [
        ("1.jpg", "full", "http://e.example/p"),
        ("1.jpg", "full", "http://e.example/q"),
        ("2.jpg", "partial", ""),
    ]


def test_a_row_says_which_picture_what_was_found_and_what_was_decided():
    [row] = rows(
        picture(
            b"/pics/\xe9.jpg",
            match(
                "http://a.example.com/1",
                MatchKind.OTHER,
                "http://example.com/",
                state=MatchState.RETURNED,
                disposition=Disposition.NOT_MINE,
            ),
            sha256="ab" * 32,
            provenance=Provenance("Ann", "© Ann", None, "2020:01:02"),
        )
    )

    assert row == {
        "path": "/pics/\ufffd.jpg",
        "path_b64": "L3BpY3Mv6S5qcGc=",
        "sha256": "ab" * 32,
        "bytes": "1234",
        "format": "jpeg",
        "width": "640",
        "height": "480",
        "domain": "example.com",
        "url": "http://a.example.com/1",
        "kind": "other",
        "page": "http://example.com/",
        "state": "returned",
        "disposition": "not_mine",
        "recheck": "",
        "rechecked_at": "",
        "likeness": "",
        "our_likeness": "",
        "first_seen": "2026-11-23T17:45:57.250Z",
        "last_seen": "2026-11-23T18:02:37.250Z",
        "scanned_at": "2026-11-23T18:02:37.250Z",
        "creator": "Ann",
        "copyright": "© Ann",
        "credit": "",
        "created": "2020:01:02",
    }


def test_what_is_not_known_is_empty():
    [row] = rows(
        picture("/a", match("u", state=None, disposition=None, first_seen=None, last_seen=None))
    )

    empty = ("state", "disposition", "first_seen", "last_seen", "creator", "path_b64")
    assert [row[name] for name in empty] == [""] * 6


def test_it_begins_and_ends_its_lines_as_excel_wants():
    data = written(picture("/größe.jpg", match("http://e.example/a,b")))

    assert data.startswith(b"\xef\xbb\xbfpath,")
    assert data.count(b"\n") == data.count(b"\r\n") == 2
    assert b',"http://e.example/a,b",' in data


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_no_cell_is_a_formula_too_long_or_more_than_one_line(text):
    said = Provenance(text, text, text, text)
    found = rows(picture("/a.jpg", match(text, MatchKind.FULL, text, domain=text), provenance=said))

    assert len(found) == 1
    for cell in found[0].values():
        assert cell.isprintable()
        assert not cell.startswith(("=", "+", "-", "@"))
        assert len(cell.encode("utf-16-le")) // 2 <= MAX_CELL


def test_a_cell_that_was_cut_says_so():
    [row] = rows(picture("/a.jpg", match("http://e.example/" + "😀" * 1_000_000)))

    assert row["url"].startswith("http://e.example/😀")
    assert row["url"].endswith("😀… [cut, 1,000,017 characters]")


def test_all_that_there_may_be_is_in_as_many_columns():
    found = rows(*everything())

    assert len(found) > 100
    assert all(None not in row and None not in row.values() for row in found)
