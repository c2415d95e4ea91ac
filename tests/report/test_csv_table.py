from __future__ import annotations

import csv
import io

import pytest

from batchscan.enums import Disposition, MatchKind, MatchState, RecheckVerdict
from batchscan.model import Provenance
from batchscan.rechecked import MatchRecheck, RecheckedPage
from batchscan.report import csv_table
from batchscan.report_sections import MatchDecision
from batchscan.util.escaping import MAX_CELL, spreadsheet_cell
from tests.support.report_builders import HOSTILE, everything, match, picture, report_of

# Each version only adds columns behind those that there were.
LATER = (
    "recheck",
    "rechecked_at",
    "likeness",
    "our_likeness",
    "decided_at",
    "decided_by",
    "note",
    "recheck_http_status",
    "recheck_detail",
    "gone_since",
    "page_recheck",
    "page_http_status",
)
URL, PAGE, OTHER_PAGE = "http://e.example/1.jpg", "http://e.example/p", "http://e.example/q"


def written(*pictures) -> bytes:
    return b"".join(csv_table.render(report_of(pictures), pictures))


def rows(*pictures) -> list[dict[str, str]]:
    text = written(*pictures).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_cells_are_quoted_as_the_standard_library_quotes_them():
    addresses = [*HOSTILE, "https://a.example/?q=1,2", 'https://a.example/"', "", " a", "ü,é"]
    pictures = [picture(b"/pics/a,b.jpg", match(text, domain=text)) for text in addresses]
    [name, *table] = csv.reader(io.StringIO(written(*pictures).decode("utf-8-sig"), newline=""))
    assert {len(row) for row in table} == {len(name)}
    again = io.StringIO(newline="")
    csv.writer(again).writerows([name, *table])

    assert again.getvalue() == written(*pictures).decode("utf-8-sig")
    assert [row[8] for row in table] == [spreadsheet_cell(text) for text in addresses]


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
        **dict.fromkeys(LATER, ""),
        "first_seen": "2026-11-23T17:45:57.250Z",
        "last_seen": "2026-11-23T18:02:37.250Z",
        "scanned_at": "2026-11-23T18:02:37.250Z",
        "creator": "Ann",
        "copyright": "© Ann",
        "credit": "",
        "created": "2020:01:02",
    }


def test_columns_that_were_added_later_come_last():
    assert csv_table.COLUMNS[-len(LATER) :] == LATER


def decision(after: Disposition, note: str | None = None, *, undoes: bool = False):
    at = 1_795_456_957.25 + ord(str(after)[0])
    return MatchDecision(at, "Ann", Disposition.OPEN, after, note, undoes)


REVIEWED = decision(Disposition.REVIEWED, "ours")
NOTICED = decision(Disposition.NOTICED, "by mail")
UNDONE = decision(Disposition.REVIEWED, undoes=True)


@pytest.mark.parametrize(
    ("decisions", "now", "note"),
    [
        ((), Disposition.OPEN, None),
        ((NOTICED, REVIEWED), Disposition.NOTICED, "by mail"),
        ((UNDONE, NOTICED, REVIEWED), Disposition.REVIEWED, "ours"),
        ((UNDONE, UNDONE, NOTICED, REVIEWED), Disposition.OPEN, None),
        ((REVIEWED,), Disposition.ALLOWED, None),  # by a rule
        ((REVIEWED,), Disposition.OPEN, None),  # it came back
    ],
)
def test_a_row_names_who_decided_while_the_decision_holds(decisions, now, note):
    [row] = rows(picture("/a", match(URL, disposition=now), decisions={URL: decisions}))

    assert row["disposition"] == now
    assert (row["decided_by"], row["note"]) == (("Ann", note) if note else ("", ""))
    assert bool(row["decided_at"]) == bool(note)


def test_what_a_page_answered_is_in_its_own_row():
    page = RecheckedPage(PAGE, RecheckVerdict.UNKNOWN, 403, 3.0, "HTTP 403")
    checked = MatchRecheck(
        RecheckVerdict.GONE, 404, 2.0, "HTTP 404", 1.0, None, None, None, (page,)
    )
    first, second = rows(
        picture("/a", match(URL, MatchKind.FULL, PAGE, OTHER_PAGE, recheck=checked))
    )

    names = ("recheck", "recheck_http_status", "recheck_detail", "gone_since")
    for row in (first, second):
        assert [row[name] for name in names] == [
            "gone",
            "404",
            "HTTP 404",
            "1970-01-01T00:00:01.000Z",
        ]
    assert (first["page_recheck"], first["page_http_status"]) == ("unknown", "403")
    assert (second["page_recheck"], second["page_http_status"]) == ("", "")


def test_what_is_not_known_is_empty():
    [row] = rows(picture("/a", match("u")))

    assert [row[name] for name in ("creator", "path_b64")] == ["", ""]


def test_the_table_has_the_byte_order_mark_and_line_ends_that_excel_expects():
    data = written(picture("/größe.jpg", match("http://e.example/a,b")))

    assert data.startswith(b"\xef\xbb\xbfpath,")
    assert data.count(b"\n") == data.count(b"\r\n") == 2
    assert b',"http://e.example/a,b",' in data


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_no_cell_is_a_formula_too_long_or_more_than_one_line(text):
    said = Provenance(text, text, text, text)
    decided = MatchDecision(1.0, text, Disposition.OPEN, Disposition.REVIEWED, text, undoes=False)
    checked = MatchRecheck(RecheckVerdict.UNKNOWN, None, 2.0, text, None, None, None, None)
    one = match(
        text, MatchKind.FULL, text, domain=text, disposition=Disposition.REVIEWED, recheck=checked
    )
    found = rows(picture("/a.jpg", one, provenance=said, decisions={text: (decided,)}))

    assert len(found) == 1
    for cell in found[0].values():
        assert cell.isprintable()
        assert not cell.startswith(("=", "+", "-", "@"))
        assert len(cell.encode("utf-16-le")) // 2 <= MAX_CELL


def test_a_cell_that_was_cut_says_so():
    [row] = rows(picture("/a.jpg", match("http://e.example/" + "😀" * 1_000_000)))

    assert row["url"].startswith("http://e.example/😀")
    assert row["url"].endswith("😀… [cut, 1,000,017 characters]")


def test_every_row_has_a_cell_in_every_column():
    found = rows(*everything())

    assert len(found) > 100
    assert all(None not in row and None not in row.values() for row in found)
