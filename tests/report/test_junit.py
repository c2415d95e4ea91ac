from __future__ import annotations

import errno
from xml.etree import ElementTree as ET

import pytest
from junitparser import JUnitXml

from batchscan.enums import Disposition, ExitReason, MatchKind, MatchState, RejectReason
from batchscan.errors import StorageError
from batchscan.report import junit
from tests.support.report_builders import HOSTILE, everything, match, picture, report_of
from tests.support.report_facts import books, report


def written(*pictures, of=None) -> bytes:
    return b"".join(junit.render(of or report_of(pictures), pictures))


def cases(data: bytes, suite: str) -> dict[str, ET.Element]:
    found = ET.fromstring(data).findall(f"testsuite[@name='{suite}']/testcase")
    return {case.attrib["name"]: case for case in found}


def test_the_numbers_in_its_attributes_are_those_of_its_test_cases():
    root = ET.fromstring(written(*everything()))

    assert [suite.attrib["name"] for suite in root] == ["coverage", "matches"]
    for suite in root:
        for name, path in {
            "tests": "testcase",
            "failures": "testcase/failure",
            "errors": "testcase/error",
            "skipped": "testcase/skipped",
        }.items():
            assert int(suite.attrib[name]) == len(suite.findall(path))
    for name in ("tests", "failures", "errors"):
        assert int(root.attrib[name]) == sum(int(suite.attrib[name]) for suite in root)


def test_another_reader_of_the_format_counts_the_same():
    pictures = everything()
    suites = JUnitXml.fromstring(written(*pictures))
    coverage, matches = suites

    assert suites.tests == len(list(coverage)) + len(pictures)
    assert matches.failures == sum(
        any(match.needs_action for match in one.matches) for one in pictures
    )
    assert sum(case.is_error for case in coverage) == coverage.errors == 3
    assert sum(case.is_skipped for case in coverage) == coverage.skipped == 3
    assert {found.name: found.value for found in coverage.properties()}["files.scanned"] == str(
        len(pictures)
    )


def test_coverage_has_an_error_for_what_failed_and_skips_what_was_not_tried_or_taken():
    found = cases(written(), "coverage")

    assert {name: case[0].tag for name, case in found.items()} == {
        "the run": "system-out",
        "failed: server_error": "error",
        "deferred: credits": "skipped",
        "rejected: too_large": "skipped",
        "rejected: corrupt": "skipped",
        "unreadable folders": "error",
        "empty: /mnt/<photos>": "error",
    }
    assert found["failed: server_error"][0].attrib == {
        "type": "server_error",
        "message": "8 pictures failed: 8 server errors",
    }
    assert "193 are not" in (found["the run"][0].text or "")


def test_pictures_that_an_earlier_run_rejected_are_skipped_in_every_later_one():
    tally = books(unchanged=3)
    tally.unchanged_rejected.update({RejectReason.TOO_LARGE: 2})
    found = cases(written(of=report(tally)), "coverage")

    assert list(found) == ["the run", "rejected: too_large"]
    assert found["rejected: too_large"][0].attrib == {
        "type": "too_large",
        "message": "2 pictures rejected: 2 over 20 MB",
    }


@pytest.mark.parametrize(
    ("ending", "tag"),
    [
        ({}, "system-out"),
        ({"exit_reason": ExitReason.MATCHES, "exit_code": 10}, "system-out"),
        ({"exit_reason": ExitReason.INTERRUPTED, "exit_code": 130, "partial": True}, "error"),
        ({"exit_reason": ExitReason.KILLED, "exit_code": None, "partial": True}, "error"),
        ({"exit_reason": ExitReason.LIMIT, "exit_code": 5, "message": "enough"}, "error"),
    ],
)
def test_a_run_that_ended_early_is_an_error(ending, tag):
    [case] = cases(written(of=report(books(scanned=1), **ending)), "coverage").values()

    assert case[0].tag == tag
    if ending.get("message"):
        assert case[0].attrib == {"type": "limit", "message": "enough"}


def test_a_picture_with_something_to_do_fails_and_says_what():
    data = written(
        picture(
            "/pics/cats/a.jpg",
            match("http://example.com/1", MatchKind.PARTIAL, "http://example.com/p"),
            match("http://other.org/2", domain="other.org", state=MatchState.NEW),
            match("http://mine.example/3", disposition=Disposition.ALLOWED),
            match("http://example.com/4", state=MatchState.GONE),
        )
    )
    case = cases(data, "matches")["a.jpg"]
    [failure] = case

    assert case.attrib["classname"] == "/pics/cats"
    assert failure.attrib == {
        "type": "full",
        "message": "1 full, 1 partial on example.com, other.org",
    }
    assert (failure.text or "").splitlines()[2:] == [
        "known partial open: http://example.com/1",
        "    on http://example.com/p",
        "new full open: http://other.org/2",
    ]


def test_a_picture_whose_matches_are_settled_passes_and_says_why():
    data = written(
        picture(
            "/a.jpg",
            match("http://e.example/1", disposition=Disposition.ALLOWED),
            match("http://e.example/2", disposition=Disposition.ALLOWED),
            match("http://e.example/3", state=MatchState.GONE),
            match("http://e.example/4", disposition=Disposition.NOTICED),
        )
    )
    [told] = cases(data, "matches")["a.jpg"]

    assert (told.tag, told.text) == ("system-out", "nothing to do: 2 allowed, 1 gone, 1 noticed")


def test_long_lists_are_cut_and_say_so():
    pages = [f"http://e.example/p{number}" for number in range(12)]
    many = [
        match(f"http://e.example/{number}", domain=f"{number}.example") for number in range(130)
    ]
    one = match("http://e.example/first", MatchKind.FULL, *pages)
    [failure] = cases(written(picture("/a.jpg", one, *many)), "matches")["a.jpg"]
    text = failure.text or ""

    assert "on 2 more; matches.csv has them all" in text
    assert text.endswith("and 31 more; matches.csv has them all")
    assert failure.attrib["message"].endswith(" and 126 more sites")


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_hostile_strings_are_text_that_every_reader_can_parse(text):
    data = written(picture("/a.jpg", match(text, MatchKind.FULL, text, domain=text)))
    [failure] = cases(data, "matches")["a.jpg"]

    assert len(failure) == 0
    assert len(data) < 20_000
    assert b"[[" not in data
    assert all(line.isprintable() for line in (failure.text or "").splitlines())


def test_a_temporary_file_that_cannot_be_written_is_a_storage_error(monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(StorageError, match="No space left") as caught:
        written()
    assert "TMPDIR" in (caught.value.advice or "")
