from __future__ import annotations

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options

from batchscan.enums import Disposition, MatchKind
from batchscan.model import Provenance, TrackedMatch
from batchscan.settings import Takedown
from batchscan.settings.published import Published
from batchscan.takedown import (
    DSA_FORMS,
    FORMS,
    NoticeTemplate,
    gather,
    missing_fields,
    template_context,
)
from batchscan.takedown.wording import MAX_PAGES, web_address
from tests.support.report_builders import HOSTILE, match, picture

MARKDOWN, TEXT = FORMS
TEMPLATES = {form: NoticeTemplate(form.suffix) for form in (*FORMS, *DSA_FORMS)}
ME = Takedown(
    name="Ann Example",
    organization="Example & Daughters",
    address="12 Main Street #4, Springfield",
    phone="+1 555 0100",
    email="ann@example.net",
    role="agent",
    owner="Bob *Star* <b>",
)


def reviewed(url: str, *pages: str, **changes) -> TrackedMatch:
    return match(url, MatchKind.FULL, *pages, disposition=Disposition.REVIEWED, **changes)


def drafted(form, *pictures, me=ME) -> str:
    (notice,) = gather(pictures, []).notices
    return TEMPLATES[form].render(template_context(notice, me, form))


SUNSET = picture(
    "/pics/private/sunset.jpg",
    reviewed("https://img.example.com/1.jpg", "https://example.com/a", "https://example.com/b"),
    sha256="ab" * 32,
    provenance=Provenance("Ann", "© Ann", "Agency", "2024:06:01"),
)
ELEMENTS = {  # of 17 U.S.C. § 512(c)(3)(A), and what a draft has of each
    "(A)(i)": ["Signature: ____", "Date:"],
    "(A)(ii)": ["sunset.jpg", "640", "480", "JPEG", "ab" * 32, "© Ann", "Agency", "2024:06:01"],
    "(A)(iii)": [
        "https://img.example.com/1.jpg",
        "https://example.com/a",
        "https://example.com/b",
        "seen 2026-11-23",
    ],
    "(A)(iv)": ["Ann Example", "12 Main Street", "+1 555 0100", "ann@example.net"],
    "(A)(v)": [
        "good faith belief that use of the material in the manner complained of",
        "is not authorized by the copyright owner, its agent, or the law",
    ],
    "(A)(vi)": [
        "The information in this notification is accurate, and, under penalty of perjury, I am",
        "I am authorized to act on behalf of the owner of an exclusive right that is allegedly",
    ],
}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.suffix)
def test_a_draft_has_every_element_of_the_statute(form):
    text = drafted(form, SUNSET)
    parts = {
        part.partition(":")[0].strip(): " ".join(part.split())
        for part in text.split("§ 512(c)(3)")[2:]
    }

    assert parts.keys() == ELEMENTS.keys()
    for element, expected in ELEMENTS.items():
        for words in expected:
            assert words in parts[element]
    assert "private" not in text  # folders are nobody else's business


ARTICLE_16 = {  # paragraph 2 of it, and what a draft has of each point
    "(2)(a)": ["sunset.jpg", "Directive 2001/29/EC", "I am authorized to act on behalf of"],
    "(2)(b)": ["https://img.example.com/1.jpg", "https://example.com/a", "full copy"],
    "(2)(c)": ["Ann Example", "ann@example.net"],
    "(2)(d)": ["in good faith that the information and the allegations in this notice are", "comp"],
}


@pytest.mark.parametrize("form", DSA_FORMS, ids=lambda form: form.suffix)
def test_a_european_draft_has_every_element_of_article_16(form):
    text = drafted(form, SUNSET)
    parts = {
        part.partition(":")[0].strip(): " ".join(part.split())
        for part in re.split("Article 16(?=[(]2[)])", text)[1:]
    }

    assert parts.keys() == ARTICLE_16.keys()
    for element, expected in ARTICLE_16.items():
        for words in expected:
            assert words in parts[element]
    assert "512" not in text
    assert "perjury" not in text


@pytest.mark.parametrize("form", [*FORMS, *DSA_FORMS], ids=lambda form: form.suffix)
def test_a_work_is_shown_small_and_where_it_is_published(form):
    me = replace(
        ME,
        published=(
            Published("clients/", "https://example.net/private"),
            Published("/pics/**", "https://example.net/gallery/{name}"),
            Published("*.jpg", "https://example.net/other"),
        ),
    )
    small = b"\xff\xd8\xff small"
    work = picture("/pics/lakes/a b.jpg", reviewed("https://e.example/1.jpg"), thumbnail=small)
    text = drafted(form, work, me=me)

    assert "https://example.net/gallery/a%20b.jpg" in text
    assert "example.net/private" not in text
    assert "example.net/other" not in text
    if form.suffix.endswith("md"):
        shown = cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE)
        encoded = base64.b64encode(small).decode()
        assert f'<img src="data:image/jpeg;base64,{encoded}" alt="Work 1"' in shown
    assert "published at" not in drafted(form, work)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.suffix)
def test_a_draft_says_first_that_it_is_one_and_what_is_at_stake(form):
    head = " ".join(drafted(form, SUNSET)[:1500].replace(">", " ").replace("#", " ").split())

    for words in (
        "DRAFT. This was not sent. A person must check it",
        "Fair use (17 U.S.C. § 107) must be considered for each copy",
        "knowingly misrepresents that material is infringing is liable for damages",
        "512(f)",
        "penalty of perjury",
    ):
        assert words in head


def test_without_the_checkers_lines_the_text_is_a_letter():
    letter = [line for line in drafted(TEXT, SUNSET).splitlines() if not line.startswith("#")]

    assert not any(word in "\n".join(letter) for word in ("DRAFT", "CAPITALS", "§ 512(f)"))
    assert max(len(line) for line in letter if "SHA-256" not in line) <= 75


def test_missing_template_values_are_marked_and_named():
    text = drafted(TEXT, SUNSET, me=Takedown())
    blanks = missing_fields(Takedown())

    assert set(blanks) == {"name", "address", "phone", "email", "owner", "role"}
    assert all(blank in " ".join(text.split()) for blank in blanks.values())
    assert "Organization" not in text
    assert f"Name: **{blanks['name']}**" in drafted(MARKDOWN, SUNSET, me=Takedown())
    assert missing_fields(ME) == {}


@pytest.mark.parametrize(
    ("me", "owner"),
    [
        (Takedown(name="Ann", role="owner"), "Ann"),
        (Takedown(name="Ann", role="owner", organization="Ann Ltd"), "Ann Ltd"),
        (Takedown(name="Ann", role="owner", owner="Bob"), "Bob"),
        (Takedown(name="Ann", role="agent"), "[THE OWNER OF THE WORKS]"),
    ],
)
def test_a_signer_who_is_the_owner_need_not_say_so_twice(me, owner):
    assert f"Owner of the works: {owner}\n" in drafted(TEXT, SUNSET, me=me)


class Links(HTMLParser):
    """The tags of a draft as GitHub's renderer shows it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.plain = ""
        self.feed(cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE))

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "a":
            assert attrs == [("href", "mailto:ann@example.net")]

    def handle_data(self, data):
        self.plain += data


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_hostile_strings_break_neither_text(text):
    said = Provenance(text, text, text, text)
    name = text[:100].encode("utf-8", "replace").replace(b"/", b"").replace(b"\0", b"") or b"x"
    found = picture(name, reviewed(text, text, text, domain=text), provenance=said)
    clean = picture("x", reviewed("u", "p", "q", domain="d"), provenance=Provenance(*"abcd"))

    plain, shown = drafted(TEXT, found), Links(drafted(MARKDOWN, found))

    lines = plain.splitlines()
    assert all(line.isprintable() for line in lines)
    assert len(lines) == len(drafted(TEXT, clean).splitlines()) - (0 if text else 4)
    assert shown.tags == Links(drafted(MARKDOWN, clean)).tags
    assert len(plain) < 20_000


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.com/ä b.jpg?x=1&y=(2)#f", "https://example.com/ä%20b.jpg?x=1&y=(2)#f"),
        ("https://example.com/%20\u202e\n`|", "https://example.com/%20%E2%80%AE%0A%60%7C"),
        ("HTTP://example.com/\ud800", "HTTP://example.com/%3F"),
        ("javascript:alert(1)\n", r"javascript:alert(1)\n"),
        ("https:///nowhere\u202e", r"https:///nowhere\u202e"),
    ],
)
def test_a_url_can_be_read_and_opened(url, shown):
    assert web_address(url) == shown


@pytest.mark.parametrize("form", [*FORMS, *DSA_FORMS])
def test_an_address_that_shows_several_works_counts_once(form):
    one = "https://example.com/collage.jpg"
    works = [picture(f"/p/{name}.jpg", reviewed(one), sha256=name * 64) for name in "ab"]

    text = drafted(form, *works).replace("\n", " ")
    assert "1 address in all; one that shows several works is listed with each. A full" in text
    assert "1 address in all. A full copy" in drafted(form, works[0]).replace("\n", " ")


def test_what_is_too_long_for_a_letter_is_cut_and_says_so():
    assert web_address("http://e.example/" + "x" * 10**6).endswith("x [cut: 1,000,017 characters]")

    pages = [f"https://e.example/{number}" for number in range(MAX_PAGES + 3)]
    for form in FORMS:
        text = drafted(form, picture("/a.jpg", reviewed("https://e.example/a.jpg", *pages)))
        assert pages[MAX_PAGES - 1] in text
        assert pages[MAX_PAGES] not in text
        assert "and on 3 more" in text
