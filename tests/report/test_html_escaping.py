from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchscan.report.html_escaping import (
    _SIMPLE,
    MAX_LINK,
    MAX_SHOWN,
    MAX_THUMBNAIL,
    _parsed_link,
    cut,
    data_uri,
    link,
)
from tests.support.match_builders import STRINGS, URLS, thumbnail


@pytest.mark.parametrize(
    ("url", "href"),
    [
        ("https://example.com/a.jpg", "https://example.com/a.jpg"),
        ("HTTP://EXAMPLE.COM/", "HTTP://EXAMPLE.COM/"),
        (" https://example.com/a b.jpg ", "https://example.com/a%20b.jpg"),
        ("https://example.com/ä.jpg?q=ö", "https://example.com/ä.jpg?q=ö"),
        ("https://example.com/%20%3Ca", "https://example.com/%20%3Ca"),
        ("https://example.com/\u202egpj.exe", "https://example.com/%E2%80%AEgpj.exe"),
        ("https://example.com/\r\nSet-Cookie:", "https://example.com/%0D%0ASet-Cookie:"),
        ("https://example.com/'\"<>`{}|^\\", "https://example.com/&#39;%22%3C%3E%60%7B%7D%7C%5E%5C"),
        ("https://example.com/?a=1&b=2", "https://example.com/?a=1&amp;b=2"),
        ("http://[::1]:8080/a.jpg", "http://[::1]:8080/a.jpg"),
    ],
)  # fmt: skip
def test_a_web_address_becomes_a_link_to_the_full_address(url, href):
    made = link(url)

    assert made is not None
    assert made.href == href


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", " \x01JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "vbscript:x",
        "data:text/html,x", "file:///etc/passwd", "ftp://example.com/a", "blob:https://a.com/1",
        "//example.com/a", "/a", "#a", "?a", "", "example.com", "http:", "https://", "https:///a",
        "http:example.com", "http://[::1", "https://example.com:99999/", "https://example.com:x/",
        "https://<script>.com/", "https://ex ample.com/", "https://ex\u202eample.com/",
        "https://example.com/\ud800", "https://example.com/" + "x" * MAX_LINK,
    ],
)  # fmt: skip
def test_an_address_that_is_not_of_the_web_is_no_link(url):
    assert link(url) is None


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://www.example.com/a.jpg", "www.example.com"),
        ("https://paypal.test@evil.test/login", "evil.test"),
        ("https://user:pass@evil.test:8443?x", "evil.test:8443"),
        ("https://example.com#@evil.test/", "example.com"),
        ("https://example.com?@evil.test/", "example.com"),
    ],
)
def test_the_host_is_highlighted_wherever_the_address_hides_it(url, host):
    made = link(url)

    assert made is not None
    assert made.host == host
    assert (made.before + made.host + made.after).unescape() == url


@given(st.one_of(st.text(), st.text().map("https://example.com/".__add__), st.sampled_from(URLS)))
def test_no_string_gives_a_link_to_anything_but_the_web(text):
    made = link(text)
    if made is None:
        return
    href = made.href.unescape()

    assert urlsplit(href).scheme in ("http", "https")
    assert urlsplit(href).hostname
    assert href.isprintable()
    assert not set(href) & set(' "<>\\`')
    assert cut(text.strip()) == (made.before + made.host + made.after).unescape()


@given(st.from_regex(_SIMPLE, fullmatch=True))
@example("https://example.com/a/../b//c.jpg")
@example("http://xn--bcher-kva.example/~a_b-c")
@example(f"https://{'a.' * 120}example/a.jpg")
def test_an_address_with_nothing_to_escape_becomes_the_link_that_parsing_it_gives(url):
    assert link(url) == _parsed_link(url)


@given(st.one_of(st.text(st.characters()), st.sampled_from(STRINGS)), st.integers(10, 1000))
def test_a_shown_string_is_short_and_printable_whatever_it_holds(text, most):
    shown = cut(text, most)

    assert shown.isprintable()
    assert len(shown) <= 10 * most + 40
    assert shown == shown.encode().decode()


def test_a_long_string_keeps_its_ends_and_says_its_length():
    shown = cut("a" * 500_000 + "z" * 500_000)

    assert shown.startswith("a" * 200)
    assert shown.endswith("z" * 100)
    assert "…(1,000,000 characters)…" in shown
    assert cut("a" * MAX_SHOWN) == "a" * MAX_SHOWN


def test_accents_are_kept_but_many_on_one_letter_are_escaped():
    assert cut("re\u0301sume\u0301 Việt") == "re\u0301sume\u0301 Việt"
    assert cut("a" + "\u0301" * 4) == "a\u0301\u0301\\u0301\\u0301"


@pytest.mark.parametrize(
    ("form", "start"),
    [("JPEG", "data:image/jpeg;base64,/9j/"), ("WEBP", "data:image/webp;base64,UklGR")],
)
def test_only_a_small_jpeg_or_webp_becomes_an_image(form, start):
    made = data_uri(thumbnail(form=form))

    assert made is not None
    assert made.startswith(start)
    assert data_uri(None) is None
    assert data_uri(b"<svg onload=alert(1)>") is None
    assert data_uri(b"RIFF\0\0\0\0WAVE" + b"x" * 100) is None
    assert data_uri(thumbnail(size=MAX_THUMBNAIL + 4, form=form)) is None
