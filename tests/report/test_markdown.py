from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options

from batchscan.enums import Disposition, ExitReason, MatchKind, MatchState
from batchscan.report import markdown
from batchscan.report_sections import (
    MatchSummary,
)
from batchscan.util.escaping import markdown as escaped
from batchscan.util.escaping import markdown_code, printable
from tests.support.report_builders import HOSTILE, digest_of, everything, match, picture, report_of
from tests.support.report_facts import (
    allow_rule,
    books,
    domain_count,
    match_totals,
    picture_summary,
    report,
)

NEW = MatchState.NEW


def written(pictures=(), of=None) -> str:
    return b"".join(markdown.render(of or report_of(pictures), pictures)).decode()


class Page(HTMLParser):
    """What GitHub's own renderer makes of a Markdown text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.rows: list[int] = []
        self.codes: list[str] = []
        self.plain = ""
        self._open: list[str] = []
        self.feed(cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE))

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self._open.append(tag)
        if tag == "tr":
            self.rows.append(0)
        if tag in ("td", "th"):
            self.rows[-1] += 1
        if tag == "code":
            self.codes.append("")

    def handle_endtag(self, tag):
        self._open.pop()

    def handle_data(self, data):
        if "code" in self._open:
            self.codes[-1] += data
        else:
            self.plain += data


def test_coverage_comes_first_then_what_it_cost_and_what_was_found():
    pictures = [picture("/a.jpg", match("http://e.example/1", state=NEW))]
    paragraphs = written(pictures).split("\n\n")

    assert paragraphs[0] == "# Copies on the web: run `20261123T180237Z`"
    assert paragraphs[1].startswith("8 of 201 pictures are checked. 193 are not:")
    assert "Not scanned: `/mnt/<photos>` is empty" in paragraphs[2]
    assert paragraphs[3] == "Credits: 600 charged, 12 left."
    assert paragraphs[4] == (
        "Matches: 1 picture has 1 match: 1 full, 0 partial. "
        "1 new, 0 returned, 0 gone, 0 allowed. **To do: 1 match.**"
    )


def test_where_every_unchecked_picture_is_listed_is_a_sentence_of_its_own():
    text = written(of=report(books(scanned=2, rejected={"empty": 1}), unchecked_table="un.csv"))
    assert "Each one with its reason: un.csv. 2 scanned, 1 rejected." in text


def test_new_matches_are_named_unless_somebody_settled_them():
    pictures = [
        picture(
            "/pics/a.jpg",
            match("http://e.example/1", MatchKind.PARTIAL, "http://e.example/p", "q", state=NEW),
            match("http://e.example/2", state=MatchState.RETURNED),
            match("http://e.example/3", state=NEW, disposition=Disposition.ALLOWED),
            match("http://e.example/4"),
        )
    ]

    assert written(pictures).split("## New matches to act on\n\n")[1].split("\n\n")[0] == (
        "| Picture | Match | URL | Page |\n"
        "| --- | --- | --- | --- |\n"
        "| `/pics/a.jpg` | new partial | `http://e.example/1` | `http://e.example/p` and 1 more |\n"
        "| `/pics/a.jpg` | returned full | `http://e.example/2` |  |"
    )


def test_it_names_the_first_twenty_new_matches_and_reads_no_more_pictures_than_that_takes():
    def endless():
        number = 0
        while True:
            number += 1
            yield picture(f"/{number}", match(f"http://e.example/{number}", state=NEW))

    many = report(books(scanned=1), MatchSummary(matches=match_totals(new=500, worklist=500)))
    few = report(books(scanned=1), MatchSummary(matches=match_totals(new=3, worklist=3)))

    assert "act on (the first 20)" in written(endless(), many)
    assert written(endless(), many).count("| new full |") == 20
    assert written(endless(), few).count("| new full |") == 3


def test_the_sites_and_pictures_with_the_most_to_do_come_first():
    domains = [domain_count(f"{n}.example", 900 - n, 1, 1, worklist=n) for n in range(25)]
    images = [picture_summary(b"/%d" % n, 1, 1, 2, worklist=n) for n in range(25)]
    totals = match_totals(25, 50, 25, 25, worklist=300)
    text = written(
        of=report(books(scanned=25), MatchSummary(totals, domains=(*domains,), images=(*images,)))
    )

    assert "## Worst sites (20 of 25)" in text
    assert "## Worst pictures (20 of 25)" in text
    assert re.findall(r"^\| `(\d+)\.example` \| (\d+) ", text, re.MULTILINE)[:2] == [
        ("24", "24"),
        ("23", "23"),
    ]
    assert re.findall(r"^\| `/(\d+)` \|", text, re.MULTILINE) == [str(n) for n in range(24, 4, -1)]


def test_rules_past_their_date_are_named():
    gone = allow_rule("domain a.example", "licensee", "Ann", date(2026, 1, 2), expired=True)
    text = written(
        of=report(books(scanned=1), MatchSummary(rules=(gone, allow_rule("domain b", "mine"))))
    )

    assert "| `domain a.example` | `licensee` | 2026-01-02 | `Ann` |" in text
    assert "domain b" not in text


@pytest.mark.parametrize("message", ["the account is out of credits", "no connection " * 30])
def test_a_run_that_ended_early_says_why(message):
    early = report(
        books(deferred={"credits": 2}),
        exit_reason=ExitReason.NO_CREDITS,
        partial=True,
        message=message,
        advice="buy some",
        sandbox=True,
    )
    text = written(of=early)

    assert f"**Ended early:** `{message}` What to do: `buy some`" in text
    assert "**Sandbox:** mock answers" in text
    assert "Matches: none in the answers so far." in text


def test_hostile_strings_become_nothing_but_code():
    pictures = everything()
    page = Page(written(pictures, report_of(pictures, digest_of(pictures))))

    assert page.tags <= {
        "h1",
        "h2",
        "p",
        "strong",
        "code",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    }
    assert not set(page.plain) & set("<>@#`[]|\\")
    assert set(page.rows) == {2, 4, 6, 7}
    assert "http" not in page.plain


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_code_shows_the_full_string_inside_and_outside_a_table(text):
    expected = printable(text).replace("`", r"\x60").replace("|", r"\x7c").strip()
    code = markdown_code(text)
    page = Page(f"{code} and\n\n| a | b |\n| --- | --- |\n| {code} | {code} |\n")

    assert [shown.strip() for shown in page.codes] == [expected] * 3
    assert page.rows == [2, 2]


@pytest.mark.parametrize("text", HOSTILE[:-1], ids=lambda text: ascii(text[:20]))
def test_prose_holds_no_markup_html_or_web_link(text):
    text = text.replace("a@evil.example", "")  # a mail address may become one
    page = Page(f"Name: {escaped(text)} and\n\n| a | b |\n| --- | --- |\n| {escaped(text)} | x |\n")

    assert page.tags <= {"p", "table", "thead", "tbody", "tr", "th", "td"}
    assert page.rows == [2, 2]
    assert page.plain.count(printable(text).strip()) >= 2
