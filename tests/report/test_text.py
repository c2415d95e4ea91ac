import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.enums import DeferReason, ExitReason, FailReason, RejectReason
from batchscan.report import summary
from batchscan.report.coverage import coverage
from batchscan.report.schema import Plan
from batchscan.report.text import WIDTH
from batchscan.report.wording import explained
from batchscan.report_sections import MatchSummary
from tests.support.report_facts import (
    DIGEST,
    books,
    domain_count,
    match_totals,
    picture_summary,
    report,
)

HALF: dict[str, Any] = {
    "scanned": 600,
    "reused": 12,
    "unchanged": 195,
    "rejected": {"too_large": 3, "corrupt": 2},
    "failed": {"server_error": 8},
    "deferred": {"credits": 180},
}


def said(tally, digest=DIGEST, **changes) -> list[str]:
    return summary(report(tally, digest, **changes), "/out/runs/x").splitlines()


def test_coverage_comes_first_then_rejections_matches_money_and_files():
    tally = books(**HALF)
    tally.charged, tally.saved_by_reuse, tally.outcome_unknown = 600, 12, 2
    tally.ignored, tally.excluded = 7, 1
    lines = said(
        tally,
        balance=0,
        partial=True,
        exit_reason=ExitReason.NO_CREDITS,
        message="the account is out of credits",
        advice="buy some, and run the same command again",
    )

    assert lines == [
        "807 of 1,000 pictures are checked. 193 are not: 180 out of credits, 8 server errors, 3 over 20 MB, 2",
        "  damaged.",
        "  600 scanned, 12 reused, 195 unchanged, 5 rejected.",
        "Left out: 7 ignored (not pictures, or links), 1 excluded by patterns.",
        "Matches: 34 pictures have 120 matches: 80 full, 38 partial, 2 of another kind.",
        "  Most on: example.com (12 pictures), example.org (1 picture).",
        "  /pics/\ufffd.jpg: 12 full, 3 partial",
        "Credits: 600 charged, 12 saved by reuse, 2 possibly charged without an answer, 0 left.",
        "Ended early: the account is out of credits",
        "What to do: buy some, and run the same command again",
        "Files: /out/runs/x",
    ]


def test_the_first_line_says_how_many_pictures_are_checked():
    assert said(books(scanned=1))[0] == "The one picture is checked."
    assert said(books(scanned=1999, unchanged=1))[0] == "All 2,000 pictures are checked."
    assert said(books(scanned=1, failed={"network": 1}))[0] == (
        "1 of 2 pictures is checked. 1 is not: 1 network error."
    )


def test_a_scan_without_pictures_names_what_it_could_not_look_into():
    tally = books()
    tally.empty_roots = ["/mnt/photos"]
    tally.unreadable_folders, tally.unreadable_names = 1, {"/mnt/closed": "Permission denied"}

    assert said(tally, MatchSummary()) == [
        "No pictures were found.",
        "Not scanned: 1 folder could not be read (/mnt/closed); pictures in there are not counted.",
        "Not scanned: /mnt/photos is empty or missing, but had pictures before.",
        "Credits: 0 charged.",
        "Files: /out/runs/x",
    ]


def test_a_scan_that_was_stopped_at_its_start_does_not_say_that_there_are_no_pictures():
    stopped = said(books(), MatchSummary(), exit_reason=ExitReason.INTERRUPTED, partial=True)
    assert stopped[0] == "Ended before any picture was found."


def test_a_dry_run_says_what_a_scan_would_do():
    tally = books(deferred={"dry_run": 1500})
    tally.expected = 1500
    plan = Plan(pictures=1496, bytes=13_900_000, shared=4, rate="10/s")
    lines = said(tally, dry_run=True, at_least_s=153.0, plan=plan)

    assert lines[:4] == [
        "Dry run: none of 1,500 pictures is checked yet: 1,500 would be checked.",
        "Would send 1,496 pictures (13.9 MB): 1,500 credits. That takes at least 2 min 33 s at 10/s, and as",
        "  long as your connection needs for 13.9 MB.",
        "  4 more files would share the answers of these. Nothing was sent.",
    ]


def test_a_dry_run_without_a_rate_says_no_time():
    tally = books(deferred={"dry_run": 1})
    tally.expected = 1
    lines = said(tally, dry_run=True)

    assert lines[1:3] == ["Would send 1 picture: 1 credit.", "  Nothing was sent."]


def test_a_line_about_a_picture_fits_into_80_columns_and_counts_what_is_there():
    path = "/pics/" + "folder/" * 20 + "a.jpg"
    images = (
        picture_summary(path.encode(), 1, 20, 21),
        picture_summary(path.encode(), 1, 0, 1),
        picture_summary(path.encode(), 0, 2, 2),
        picture_summary(path.encode(), 0, 0, 1),
    )
    digest = MatchSummary(match_totals(4, 25, 2, 22), images=images)
    lines = [line for line in said(books(scanned=4), digest) if "a.jpg: " in line]

    assert [line.rpartition(": ")[2] for line in lines] == [
        "1 full, 20 partial", "1 full", "2 partial", "other",
    ]  # fmt: skip
    assert max(map(len, lines)) <= 80


def test_mock_answers_are_not_taken_for_real_ones():
    assert any(line.startswith("Sandbox: ") for line in said(books(scanned=1), sandbox=True))


def test_a_message_of_a_complete_run_has_no_label():
    assert "matches were found" in said(books(scanned=1), message="matches were found")


hostile = st.text(st.characters(codec="utf-8"), min_size=1, max_size=80)


@given(hostile, hostile, st.integers(0, 10**9))
def test_no_line_is_too_wide_and_no_outside_string_reaches_the_terminal(domain, path, number):
    digest = MatchSummary(
        match_totals(number, number, number, number),
        domains=(domain_count(domain, number, number, number),) * 5,
        images=(picture_summary(path.encode(), number, number, number),) * 5,
    )
    tally = books(scanned=number, failed={"server_error": number})
    tally.charged = tally.saved_by_reuse = tally.outcome_unknown = number
    text = summary(report(tally, digest), "/out")

    assert text.replace("\n", "").isprintable()
    assert all(len(line) <= WIDTH for line in text.splitlines())


@pytest.mark.parametrize("status", ["failed", "deferred"])
def test_clean_is_never_said_of_what_was_not_scanned(status):
    reason = {"failed": "server_error", "deferred": "interrupted"}[status]
    text = "\n".join(said(books(scanned=5, **{status: {reason: 2}}), DIGEST))

    assert re.search(r"2 are not: 2 (server errors|not reached when interrupted)", text)
    assert "All" not in text
    assert "clean" not in text.lower()


@given(
    st.dictionaries(st.sampled_from(RejectReason), st.integers(1, 9)),
    st.dictionaries(st.sampled_from(RejectReason), st.integers(1, 9)),
    st.dictionaries(st.sampled_from([*FailReason]), st.integers(1, 9)),
    st.dictionaries(st.sampled_from([*DeferReason]), st.integers(1, 9)),
    st.integers(0, 9),
)
def test_every_picture_without_an_answer_is_said_to_be_unchecked(
    rejected, earlier, failed, deferred, answered
):
    unchanged = sum(earlier.values())
    tally = books(
        scanned=answered, rejected=rejected, failed=failed, deferred=deferred, unchanged=unchanged
    )
    tally.unchanged_rejected.update(earlier)
    found = report(tally)
    files, first = found.files, " ".join(coverage(found))

    assert files.checked is not None
    assert files.unchecked is not None
    assert files.seen == files.checked + files.unchecked
    assert files.checked == answered
    assert sum(found.unchecked.values()) == files.unchecked
    assert ("All" in first or "The one picture is checked" in first) == (
        files.seen > 0 and not files.unchecked
    )
    for reason, number in found.unchecked.items():
        assert explained(number, reason) in first


@pytest.mark.parametrize(
    ("how", "dry", "number", "said"),
    [
        ("report", False, 3812, "3,812 of 10,000 pictures are versions of others; `--renditions cover` saves up to 3,812 credits."),
        ("report", True, 1, "1 of 10,000 pictures is a version of another; `--renditions cover` saves up to 1 credit."),
        ("cover", False, 3812, "3,812 of 10,000 pictures are versions of others: covered by their answers, not asked about."),
        ("cover", True, 1, "1 of 10,000 pictures is a version of another: would be covered by its answer, not asked about."),
    ],
)  # fmt: skip
def test_versions_of_pictures_are_said_with_what_they_cost(how, dry, number, said):
    tally = books(scanned=10_000)
    tally.renditions = number

    assert said in summary(report(tally, renditions=how, dry_run=dry), "/out", 200)


def test_the_table_of_those_without_an_answer_is_named_with_its_folder():
    named = said(books(**HALF), unchecked_table="unchecked.csv")
    whole = said(books(scanned=3), unchecked_table=None)

    assert "  Each one with its reason: /out/runs/x/unchecked.csv" in named
    assert named.index("  Each one with its reason: /out/runs/x/unchecked.csv") <= 2
    assert not [line for line in whole if "unchecked.csv" in line]
    assert any(
        "\\x1b" in line
        for line in summary(
            report(books(**HALF), unchecked_table="unchecked.csv"), "/out/\x1b[2J"
        ).splitlines()
    )
