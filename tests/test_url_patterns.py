from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.errors import UsageError
from batchscan.url_patterns import ParsedUrl, UrlPattern
from batchscan.util.urls import registrable_domain

LONG = f"https://example.com/{'a' * 1_000_000}.jpg"
HOSTILE = ["", "https://", "javascript:alert(1)", "data:image/png;base64,xyz", "http://[x", "//",
           f"https://{'a.' * 500_000}com/", "https://exa mple.com/", "\0", "*", "https://*/",
           "https://user:pw@[::1", "https://example.org:99999/", "\ud800", "https://\udcff/"]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "covered", "others"),
    [
        (
            "example.com",
            ["https://example.com/a", "http://WWW.Example.COM:8080/", "//a.b.example.com", LONG],
            [
                "https://notexample.com/",
                "https://example.com.evil.test/",
                "https://example.com@evil.test/",
                "https://evil.test\\@example.com/",
                "https://evil.test/example.com",
                "javascript:example.com",
            ],
        ),
        ("shop.example.com", ["https://shop.example.com/"], ["https://example.com/"]),
        ("co.uk", ["https://a.example.co.uk/"], ["https://example.uk/"]),
        ("127.0.0.1", ["http://127.0.0.1:8080/x"], ["http://127.0.0.11/"]),
        ("2001:DB8::1", ["http://[2001:db8:0::1]/x"], ["http://[2001:db8::2]/"]),
        ("bücher.example", ["https://xn--bcher-kva.example/", "https://www.BÜCHER.example/"], []),
        ("xn--bcher-kva.example", ["https://www.bücher.example/x"], ["https://bucher.example/"]),
        (
            "https://example.com/press/*",
            ["http://EXAMPLE.com:80/press/a?b=c#d", "https://example.com/%70ress/"],
            ["https://www.example.com/press/a", "https://example.com/pres", LONG],
        ),
        ("example.com/a?b=*", ["https://example.com/a?b=c"], ["https://example.com/aXb=c"]),
        ("example.com/[a]", ["https://example.com/[a]", "https://example.com/%5Ba%5d"],
         ["https://example.com/a"]),
        ("https://example.com/", ["http://example.com"], ["https://example.com/a"]),
        ("https://example.com", ["https://example.com/a"], ["https://www.example.com/a"]),
        ("*.example.com", ["https://www.Example.com/a"], ["https://example.com/a"]),
        ("https://*.example.com/*", ["https://www.example.com/a.jpg"],
         ["https://i0.wp.test/www.example.com/a.jpg", "https://pirate.test/c.jpg?x=.example.com"]),
        ("https://cdn*.example.com", ["https://cdn2.example.com/a"],
         ["https://cdn.evil.test/x.example.com"]),
        ("*.example.com/a*", ["https://www.example.com/ab"], ["https://www.example.com/b"]),
        ("*/ü*.jpg", ["https://example.com/x/%C3%BC1.jpg"], ["https://example.com/u.jpg"]),
        ("*LOGO*", ["https://example.com/LOGO.png", "https://logos.test/a"],
         ["https://example.com/logo.png"]),
        ("https://bücher.example/ä", ["https://xn--bcher-kva.example/%c3%a4"], []),
        ("bücher.example", ["https://b%C3%BCcher.example/a", "http://www.b%c3%bccher.example"], []),
        ("javascript:*", ["javascript:alert(1)"], ["https://javascript.test/"]),
    ],
)  # fmt: skip
def test_a_target_covers_a_site_or_what_fits_a_pattern(target, covered, others):
    asked = UrlPattern.of(target)

    assert [url for url in covered if not asked.covers(url)] == []
    assert [url for url in others if asked.covers(url)] == []


@pytest.mark.parametrize(
    "text",
    ["", " ", ".", "a..b", ".a", "exa mple.com", "example.com:80", "me@example.com", "://",
     "https://", "javascript:alert(1)", "example.com\x1b", "a" * 300],
)  # fmt: skip
def test_what_is_neither_a_domain_nor_a_url_is_refused(text):
    with pytest.raises(UsageError, match="neither a domain nor a URL") as caught:
        UrlPattern.of(text)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("target", "domain"),
    [
        ("www.Example.co.uk", "example.co.uk"),
        ("co.uk", None),
        ("localhost", None),  # a.localhost is another one
        ("10.0.0.1", "10.0.0.1"),
        ("::1", None),
        ("bücher.example", None),
        ("https://www.example.com/a*", "example.com"),
        ("https://www.example.com", "example.com"),
        ("http://localhost/*", "localhost"),
        ("*.example.com/a", None),
        ("https://example.com*", None),
        ("javascript:*", None),
    ],
)
def test_the_domain_of_a_target_is_the_one_that_all_it_covers_have(target, domain):
    assert UrlPattern.of(target).domain == domain


@pytest.mark.parametrize("text", ["com", "*.com", "https://*.co.uk/*", "shop", "*.shop", "SHOP."])
def test_what_covers_every_site_under_a_suffix_is_a_public_suffix(text):
    assert UrlPattern.of(text).is_public_suffix


@pytest.mark.parametrize(
    "text", ["localhost", "http://nas/a.jpg", "::1", "10.0.0.1", "*", "a.shop"]
)
def test_a_site_of_its_own_is_no_public_suffix(text):
    assert not UrlPattern.of(text).is_public_suffix


@pytest.mark.parametrize("text", ["example.com", "example.com/*", "https://example.com", "*.com/x"])
def test_hostile_urls_are_not_covered_and_never_an_error(text):
    target = UrlPattern.of(text)

    assert not any(map(target.covers, HOSTILE))
    assert all(map(UrlPattern.of("*").covers, HOSTILE))


URLS = st.text("ab.:/@[]%*?#\\üß1 ", max_size=20).map("https://{}".format) | st.text(max_size=20)
HOSTS = st.text("abxü.-", min_size=1, max_size=12)


@given(HOSTS | URLS, URLS | HOSTS.map("https://a.{}/x".format))
def test_whatever_is_covered_has_the_host_and_the_domain_that_the_target_names(text, url):
    try:
        target = UrlPattern.of(text)
    except UsageError:
        return
    assert UrlPattern.of(str(target)) == target
    if target.covers(url):
        host = ParsedUrl(url).host
        assert target.host is None or host == target.host or host.endswith(f".{target.host}")
        if url.isascii():  # letters beyond it may stand for others in it
            assert target.domain is None or registrable_domain(url) == target.domain


@given(st.text("ab/*", max_size=12), st.text("ab/", max_size=16))
def test_a_star_is_anything_and_all_else_is_itself(pattern, rest):
    whole = re.compile(".*".join(map(re.escape, f"https://x/{pattern}".split("*"))), re.DOTALL)

    expected = bool(whole.fullmatch(f"https://x/{rest}"))
    assert UrlPattern.of(f"https://x/{pattern}").covers(f"https://x/{rest}") == expected


def test_many_stars_cannot_stall_on_a_long_url():
    target = UrlPattern.of("*a" * 1000 + "*b")

    assert not target.covers(LONG)
