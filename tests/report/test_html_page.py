import base64
import hashlib
import itertools
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest

from batchscan.enums import (
    DeferReason,
    Disposition,
    ExitReason,
    FailReason,
    MatchKind,
    MatchState,
    RejectReason,
)
from batchscan.model import Provenance
from batchscan.report import Report
from batchscan.report import html_pictures as bounds
from batchscan.report.coverage import checked, losses
from batchscan.report.html_page import Scope, render
from batchscan.report_sections import (
    MatchDecision,
    MatchFacets,
    MatchSummary,
    PictureMatches,
    Version,
)
from tests.support.match_builders import (
    DAY,
    GONE,
    NEW,
    NOW,
    hostile,
    hostile_report,
    many,
    match,
    picture,
    report_of,
)
from tests.support.report_facts import DIGEST, allow_rule, books, match_totals, report

VOID = {"meta", "img", "input", "wbr"}
INLINE = {"a", "b", "code", "data", "i", "kbd", "small", "span", "strong", "time", "wbr"}


class Page(HTMLParser):
    """A page as a browser takes it apart: texts, attributes, figures, and what is not closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []  # tag, name, value
        self.figures: dict[str, str] = {}
        self.texts: list[str] = []
        self.inside: dict[str, str] = {}  # style and script
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        assert len(given) == len(attrs)
        self.attributes += [(tag, name, value) for name, value in given.items()]
        if "data-figure" in given:
            assert self.figures.setdefault(given["data-figure"], given["value"]) == given["value"]
        self.space(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.space(tag)

    def space(self, tag: str) -> None:
        if tag not in INLINE:
            self.texts.append(" ")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("style", "script"):
            self.inside[self.open[-1]] = self.inside.get(self.open[-1], "") + data
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())

    def values(self, tag: str, name: str) -> list[str]:
        return [value for *which, value in self.attributes if which == [tag, name]]


def page(about: Report, pictures: Iterable[PictureMatches] = (), **options: Any) -> Page:
    parts = list(render(about, pictures, made_at=NOW + 60, **options))
    made = Page(b"".join(parts).decode())

    assert made.open == []
    return made


def whole() -> tuple[Report, list[PictureMatches]]:
    """A report of which every figure is another number."""
    digest = replace(
        DIGEST,
        matches=match_totals(34, 1_234, 801, 389, 21, 22, 23, 24, 25),
        run_matches=match_totals(4, 91, 92, 93, 94, 95, 96, 97, 98),
        rules=(
            allow_rule(
                "domain example.org", "our own", "ines", date(2027, 1, 1), expired=False, covers=41
            ),
            allow_rule(
                "domain old.example", "sold", None, date(2026, 1, 1), expired=True, covers=0
            ),
            allow_rule("sha256 00ff", "given away", None, None, expired=False, covers=0),
        ),
    )
    tally = books(
        scanned=601, reused=12, unchanged=195,
        rejected={"too_large": 3, "corrupt": 2}, failed={"server_error": 8}, deferred={"credits": 180},
    )  # fmt: skip
    tally.renditions = 13
    tally.charged, tally.saved_by_reuse, tally.outcome_unknown, tally.expected = 611, 13, 2, 0
    tally.ignored, tally.excluded, tally.unreadable_folders = 71, 72, 73
    return report(tally, digest, balance=5_000), [
        picture("/pics/a.jpg", match("https://example.com/a"))
    ]


def test_every_figure_of_the_page_equals_that_of_the_json():
    about, pictures = whole()
    figures = page(about, pictures).figures
    plain = msgspec.to_builtins(about)

    for path, value in figures.items():
        found: Any = plain
        for step in path.split("."):
            found = found[int(step)] if isinstance(found, list) else found[step]
        assert value == ("" if found is None else str(found)), path
    groups = ("files", "reasons", "credits", "matches", "run_matches")
    numbers = {f"{group}.{name}" for group in groups for name in plain[group]}
    for group in ("domains", "allow_rules"):
        names = [name for name, value in plain[group][0].items() if isinstance(value, int | None)]
        names = [name for name in names if name not in ("by", "until", "expired")]
        numbers |= {f"{group}.{n}.{name}" for n in range(len(plain[group])) for name in names}
    assert numbers - set(figures) == {
        "credits.money",
        "files.empty_roots",
        "files.unreadable_folder_names",
        "files.converted_formats",
    }


def test_the_page_begins_with_what_to_do_and_has_coverage_in_brief_above_and_in_full_below():
    made = page(*whole())
    order = ["todo", "sites", "pictures", "allowed", "coverage", "money", "figures"]
    head = made.text.partition("What to do")[0]

    assert made.values("section", "id") == order
    assert "1,234 copies of 34 pictures on 2 sites, 801 of them full; 21 new, 22 returned" in head
    assert "808 of 1,001 pictures are checked. 193 are not" in head
    assert "812 of 1,001" not in made.text
    assert "808 of 1,001 pictures are checked. 193 are not" in made.text
    for words in ("8 server errors", "180 out of credits", "3 over 20 MB", "73 unreadable folders",
                  "72 excluded", "71 ignored", "possibly charged without an answer"):  # fmt: skip
        assert words in made.text
    assert "Not everything is checked." in made.text


def test_what_ended_a_run_early_is_said_with_its_advice():
    made = page(
        report(
            books(scanned=5),
            partial=True,
            exit_code=None,
            exit_reason=ExitReason.KILLED,
            message="the run was killed",
            advice="run it again",
        )
    )

    assert "Not everything is checked." in made.text
    assert "Ended early: the run was killed What to do: run it again" in made.text
    assert "killed before it finished" in made.text


def test_a_long_sentence_about_what_is_not_checked_is_whole():
    tally = books(
        rejected=dict.fromkeys(RejectReason, 1),
        failed=dict.fromkeys(FailReason, 1),
        deferred=dict.fromkeys(DeferReason, 1),
    )
    tally.unreadable_folders = 9
    tally.unreadable_names = {f"/{letter * 55}": "Permission denied" for letter in "abcdefghi"}
    ending: dict[str, Any] = {
        "message": "no " + "connection " * 25,
        "advice": "look for " + "cables " * 25,
    }
    about = report(tally, partial=True, exit_reason=ExitReason.UNAVAILABLE, **ending)
    text = page(about).text

    for line in (*checked(about), *losses(about), *ending.values()):
        assert line.strip() in text
    assert "characters)" not in text


@pytest.mark.parametrize(
    ("tally", "changes"),
    [
        (books(scanned=5, failed={"network": 1}), {}),
        (books(scanned=5, deferred={"too_young": 1}), {}),
        (books(deferred={"dry_run": 3}), {"dry_run": True}),
        (books(), {}),
    ],
)
def test_nothing_found_is_never_said_of_pictures_without_an_answer(tally, changes):
    text = page(report(tally, **changes)).text

    for words in ("No site shows a copy of", "No copies of"):
        assert f"{words} the pictures that have an answer" in text
    assert "No copies were found" not in text


def test_a_page_whose_pictures_are_all_checked_has_no_warning():
    text = page(report(books(scanned=5, unchanged=1))).text

    assert "All 6 pictures are checked." in text
    assert "Not everything" not in text
    assert "No copies were found." in text


def test_an_empty_root_is_named_as_not_scanned():
    tally = books(scanned=1)
    tally.empty_roots = ["/mnt/photos"]
    text = page(report(tally)).text

    assert "Not everything is checked." in text
    assert "Not scanned: /mnt/photos is empty or missing, but had pictures before." in text


def test_a_sandbox_and_a_dry_run_are_distinguished_from_a_real_scan():
    tally = books(deferred={"dry_run": 1500})
    tally.expected = 1500
    text = page(report(tally, dry_run=True, sandbox=True, at_least_s=153.0)).text

    assert "Sandbox. The answers are the vendor's mock answers" in text
    assert "Would send 1,500 pictures: 1,500 credits. Nothing was sent." in text
    assert "Not everything is checked." not in text


def test_a_picture_is_shown_with_all_that_is_known_of_it():
    found = picture(
        b"/pics/caf\xe9/a.jpg",
        match(
            "https://cdn.example.com/a.jpg",
            "https://example.com/1",
            "https://example.com/2",
            kind=MatchKind.PARTIAL,
            state=MatchState.RETURNED,
            disposition=Disposition.NOT_MINE,
        ),
        match("https://example.net/old.jpg", state=GONE, last_seen=NOW - DAY),
        provenance=Provenance("Inês", "© 2024 Inês", "Agency", "2024:05:17"),
    )
    made = page(report_of([found]), [found])

    for words in ("/pics/caf\\xe9/a.jpg", "4,000 × 3,000 jpeg, 2.3 MB, asked 2026-11-23 18:02 UTC",
                  "for 1 credit", f"SHA-256 {found.sha256}", "Creator: Inês", "Copyright: © 2024 Inês",
                  "Credit: Agency", "Created: 2024:05:17", "1 match: 0 full, 1 partial",
                  "partial returned not mine", "first seen 2026-11-20, last seen 2026-11-23",
                  "full gone", "last seen 2026-11-22"):  # fmt: skip
        assert words in made.text, words
    links = [href for href in made.values("a", "href") if href.startswith("http")]
    assert set(links) == {
        "https://cdn.example.com/a.jpg", "https://example.com/1", "https://example.com/2",
        "https://example.net/old.jpg",
    }  # fmt: skip
    assert made.values("img", "alt")[0] == "Thumbnail of a.jpg"
    assert "match gone" in made.values("li", "class")


def test_a_match_has_what_was_decided_about_it_by_whom_and_why():
    url = "https://shop.example/1.jpg"
    decided = [
        MatchDecision(NOW, "<ann>", Disposition.NOTICED, Disposition.REVIEWED, None, undoes=True),
        MatchDecision(
            NOW - 60, "ann", Disposition.OPEN, Disposition.NOT_MINE, "<b>stock</b>", undoes=False
        ),
    ]
    found = picture("/a.jpg", match(url), decisions={url: tuple(decided)})
    made = page(report_of([found]), [found])

    assert "2026-11-23 18:02 UTC: reviewed again, by <ann>" in made.text
    assert "2026-11-23 18:01 UTC: not mine, by ann: <b>stock</b>" in made.text
    assert made.html.replace("\n", "").isprintable()


def test_a_picture_without_a_thumbnail_has_a_placeholder():
    found = picture("/pics/a.jpg", match("https://example.com/a.jpg"), thumbnail=None)
    made = page(report_of([found]), [found])

    assert made.values("img", "src") == []
    assert made.values("svg", "aria-label") == ["No thumbnail of a.jpg"]


def test_pictures_with_something_new_come_ahead_and_nothing_is_shown_twice():
    found = [picture(f"/pics/{n}.jpg", *(match(f"https://a.test/{n}/{m}", state=NEW if n < 3 and m < 2 else MatchState.KNOWN)
             for m in range(30))) for n in range(20)]  # fmt: skip
    made = page(report_of(found), found)
    new, known = re.findall(
        r'<h3 class="group".*?(?=<h3 class="group"|</section>)', made.html, re.DOTALL
    )

    assert "New since last time <small>6 matches" in new
    assert new.count("<article") == 3
    assert known.count("<article") == 17
    assert made.html.count('<li class="match') == 600  # all of them, each once
    assert "more match" not in made.text


def test_a_first_run_has_one_list():
    found = [picture("/pics/a.jpg", match("https://a.test/1", state=NEW))]
    made = page(report_of(found), found)

    assert re.findall(r'<h3 class="group"[^>]*>([^<]*)', made.html) == ["All are new "]
    assert made.html.count("https://a.test/1") == 1
    assert "1 copy of 1 picture on 1 site, full; new" in made.text


def test_nothing_new_is_said_of_the_pictures_that_have_an_answer_only():
    found = [picture("/pics/a.jpg", match("https://a.test/1"))]
    some = report(books(scanned=1, failed={"network": 1}), MatchSummary(match_totals(1, 1, 1)))

    assert "Nothing new since last time." in page(report_of(found), found).text
    assert "Nothing new since last time, among the pictures that have an answer." in (
        page(some, found).text
    )


def test_a_report_of_before_there_was_a_history_says_so():
    about, pictures = whole()
    before = msgspec.structs.replace(
        about.matches, new=None, returned=None, gone=None, allowed=None, worklist=None
    )
    made = page(msgspec.structs.replace(about, matches=before), pictures)

    assert made.figures["matches.new"] == ""
    assert (
        "Which matches are new is not known: this run is from before batchscan kept a history."
        in made.text
    )


def test_rules_are_shown_with_what_is_wrong_with_them():
    text = page(*whole()).text

    assert "domain example.org our own ines 2027-01-01 41" in text
    assert "2026-01-01 past its date" in text
    assert "no end date 0 covers nothing" in text
    assert "allowed by a rule 24" in text


def test_it_says_what_is_not_in_it_and_how_to_go_on():
    scope = Scope(table="all.csv", again="batchscan report --run x --html y", everything=True)
    text = page(*whole(), scope=scope).text

    for words in ("Every picture in the ledger", "so that this file opens quickly: all.csv", "2026-11-23 18:03 UTC",
                  "batchscan report --run x --html y", "batchscan mark reviewed example.com"):  # fmt: skip
        assert words in text


def test_a_page_about_everything_has_no_figures_that_only_a_run_has():
    text = page(*whole(), scope=Scope(everything=True)).text

    for words in ("in this run", "saved by reuse", "converted to JPEG", "Not looked at", "logins"):
        assert words not in text
        assert words.lower() in page(*whole()).text.lower()


@pytest.mark.parametrize("previews", [True, False])
def test_it_says_whether_it_holds_pictures_from_the_web(previews):
    text = page(*whole(), scope=Scope(previews=previews)).text

    assert ("the thumbnails are of your own" in text) is not previews
    assert ("only small copies of what a recheck or capture fetched" in text) is previews


def test_its_policy_allows_its_own_style_and_script_and_nothing_else():
    made = page(hostile_report(), hostile())
    [policy] = [value for _, name, value in made.attributes if name == "content" and "src" in value]
    hashes = {
        tag: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for tag, text in made.inside.items()
    }

    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{hashes['style']}'; "
        f"script-src 'sha256-{hashes['script']}'; base-uri 'none'; form-action 'none'"
    )
    assert made.html.count("<style") == made.html.count("<script") == 1
    assert not re.search(r"url\(|@import|http", made.inside["style"])
    assert not re.search(r"eval|innerHTML|fetch|http|<[!/]", made.inside["script"])


def test_no_hostile_string_is_markup_or_steers_the_reader():
    made = page(hostile_report(), hostile())
    sources = [value for _, name, value in made.attributes if name in ("src", "href", "action")]

    assert not [name for _, name, _ in made.attributes if name.startswith("on") or name == "style"]
    assert all(
        re.match(r"https?://|#|data:image/jpeg;base64,", source, re.IGNORECASE)
        for source in sources
    )
    assert made.html.replace("\n", "").isprintable()
    assert "{{7*7}}" in made.text
    assert " 49 " not in made.text.partition("{{7*7}}")[2][:30]


def test_links_send_the_other_side_no_referrer():
    made = page(hostile_report(), hostile())
    outside = [href for href in made.values("a", "href") if not href.startswith("#")]

    assert made.values("a", "rel") == ["noopener noreferrer nofollow"] * len(outside)
    assert made.values("a", "target") == ["_blank"] * len(outside)


@pytest.mark.slow
def test_ten_thousand_pictures_fit_and_the_rest_is_said_to_be_left_out():
    totals = match_totals(10_000, 30_000, 20_000, 10_000, 3_000)
    about, pictures = report(books(scanned=10_000), MatchSummary(totals)), many(10_000)
    size, html = 0, []
    for part in render(about, pictures, made_at=NOW):
        size += len(part)
        html.append(part)
    text = b"".join(html).decode()
    articles = text.count("<article")

    assert size < 20_000_000
    assert articles > 3_000
    assert len(list(pictures)) == 10_000 - articles - 1  # no more are taken than fit
    assert f"This file holds the first {articles:,} pictures" in text
    assert f"{10_000 - articles:,} more with matches are left out" in text
    assert "are in <b>matches.csv</b>" in text


@pytest.mark.slow
def test_a_picture_that_is_everywhere_leaves_room_for_the_others_and_says_what_is_missing():
    urls = (f"https://example.com/{n}.jpg" for n in range(20_000))
    pages = [f"https://example.com/{n}" for n in range(50_000)]
    everywhere = picture("/pics/a.jpg", match("https://example.com/x", *pages), *map(match, urls))
    found = [everywhere, *(picture(f"/pics/{n}.jpg", match("https://b.test/a")) for n in range(9))]
    made = page(report_of(found), found)
    shown = made.html.count('<li class="match') - 9
    pages_shown = made.html.count(">https://example.com/") + made.html.count("<b>example.com</b>")

    assert len(made.html) < bounds.MAX_BYTES / 3
    assert made.html.count("<article") == 10
    assert shown > 4_000
    assert f"and {20_001 - shown:,} more matches of this picture, in matches.csv" in made.text
    assert pages_shown > 2_000
    assert "more pages" in made.text
    assert f"This file holds {shown + 9:,} of 20,010 matches" in made.text
    assert "full (20,010)" in made.text
    assert "example.com (1)" in made.text


def test_a_million_pictures_that_do_not_fit_are_not_asked_for_and_filters_count_them(monkeypatch):
    monkeypatch.setattr(bounds, "MAX_BYTES", 80_000)
    one = picture("/pics/a.jpg", match("https://example.com/a.jpg"), thumbnail=None)
    pictures = itertools.repeat(one)
    about = report(
        books(scanned=1_000_000), MatchSummary(match_totals(1_000_000, 1_000_000, 1_000_000))
    )
    facets = MatchFacets(
        pictures=1_000_000,
        matches=1_000_000,
        kinds={"full": 900_000, "partial": 100_000},
        states={"known": 1_000_000},
        dispositions={"open": 999_999, "not_mine": 1},
        sites={"example.com": 700_000, "": 1},
        folders={b"/pics/": 999_999},
    )
    made = page(about, pictures, facets=lambda: facets)
    articles = made.html.count("<article")

    assert 20 < articles < 150
    assert f"{1_000_000 - articles:,} more with matches are left out" in made.text
    for words in ("full (900,000)", "partial (100,000)", "open (999,999)", "not mine (1)",
                  "example.com (700,000)", "no site at all (1)", "/pics/ (999,999)"):  # fmt: skip
        assert words in made.text
    assert made.values("form", "data-matches") == ["1000000"]


def version(name: str, **changes: Any) -> Version:
    look = b"\xff\xd8\xff" + bytes(1_000)
    given: dict[str, Any] = {"rule": "v1", "size": 45_100, "preview": look}
    return Version(name.encode(), 300, 200, 2, 9, **(given | changes))


def test_versions_stand_below_their_picture_with_how_alike_they_are_and_who_says_so():
    versions = (
        version("/pics/a-300x200.jpg"),
        version("/pics/a.dng", rule="raw", preview=None),
        version("/other/b.jpg", rule="joined", who="ines", note="<the> same print"),
    )
    found = [picture("/pics/a.jpg", match("https://b.test/a"), versions=versions)]

    made = page(report_of(found), found)

    assert made.html.count("<article") == 1
    for words in (
        "a-300x200.jpg 300 × 200, 45.1 kB, 2 bits and 9 levels apart",
        "a.dng 300 × 200, 45.1 kB, 2 bits and 9 levels apart, of the same shot",
        "/other/b.jpg 300 × 200, 45.1 kB, joined by ines: <the> same print",
    ):
        assert words in made.text
    assert made.html.count('<li><img src="data:image/jpeg;base64,') == 2


def test_previews_of_versions_take_a_part_of_the_file_only(monkeypatch):
    monkeypatch.setattr(bounds, "MAX_BYTES", 160_000)
    versions = tuple(version(f"/pics/a-{n}.jpg") for n in range(20))
    found = [
        picture(f"/pics/{n}.jpg", match("https://b.test/a"), versions=versions) for n in range(10)
    ]

    made = page(report_of(found), found)

    assert made.html.count("<article") == 10
    previews = re.findall(r'<li><img src="([^"]+)"', made.html)
    assert 0.5 < sum(map(len, previews)) * bounds.VERSIONS_SHARE / 160_000 <= 1
    assert made.text.count("45.1 kB") == 10 * 12
    assert made.text.count("and 8 more") == 10


def test_conversions_are_reported_by_format():
    tally = books(scanned=30)
    tally.converted.update({"raw": 12, "heic": 9, "tiff": 6})

    assert (
        "27 were converted to JPEG before sending: 12 RAW, 9 HEIC, 6 TIFF."
        in page(report(tally)).text
    )
