from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchscan.util.urls import (
    _PLAIN,
    _normalised,
    host_of,
    key_and_domain,
    normalize_url,
    registrable_domain,
)


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.example.com/a.jpg", "example.com"),
        ("https://a.b.example.co.uk:8443/", "example.co.uk"),
        ("HTTPS://WWW.EXAMPLE.COM", "example.com"),
        ("https://user:pw@shop.example.de/x", "example.de"),
        ("http://127.0.0.1:8080/x", "127.0.0.1"),
        ("http://[2001:db8::1]/x", "2001:db8::1"),
        ("http://localhost/x", "localhost"),
        ("https://co.uk/", "co.uk"),
        ("https://bücher.example.com/", "example.com"),
        ("javascript:alert(1)", ""),
        ("data:image/png;base64,xyz", ""),
        ("", ""),
        ("https://", ""),
        ("http://[broken", ""),
        ("http://exa mple.com/", ""),
        ("https://example.com\x00.evil.com/", ""),
        ("https://example.com./", "example.com"),
        ("//www.example.com/no-scheme", "example.com"),
        (f"https://www.example.com/{'x' * 100_000}", "example.com"),
        (f"https://{'a.' * 200}example.com/", ""),
        ("https://.../", ""),
        ("https://evil.test\\@example.com/", "evil.test"),  # as browsers go
    ],
)
def test_the_site_of_a_url_is_its_registrable_domain_or_host(url, domain):
    assert registrable_domain(url) == domain


ODD = st.text("a.:/@[]%*?#\\ ß1\t\0\ud800", max_size=12)


@given((st.text(max_size=60) | ODD).map("https://{}".format) | st.text(max_size=60) | ODD)
@example("https://[]@")
def test_no_url_surprises(url):
    for known in (registrable_domain, normalize_url, host_of):
        assert isinstance(known(url), str)


@pytest.mark.parametrize(
    "host",
    [
        "münchen.example.de",
        "MÜNCHEN.example.de",
        "xn--mnchen-3ya.example.de",
        "m%C3%BCnchen.example.de",
        "m%c3%bcnchen%2Eexample.de",
    ],
)
def test_an_international_host_is_one_however_it_is_written(host):
    assert host_of(f"https://{host}/a") == "xn--mnchen-3ya.example.de"


@pytest.mark.parametrize("host", ["a%2Fb.com", "a%00.com", "%ff.com", "%zz.com", "a%40b.com"])
def test_a_percent_sign_that_encodes_no_name_stays(host):
    assert host_of(f"https://{host}/x") == host.lower()
    assert normalize_url(f"https://{host}/x") == f"{host.lower()}/x"


def test_a_site_under_an_international_suffix_is_one_however_it_is_written():
    assert registrable_domain("https://a.食狮.公司.cn/x") == registrable_domain(
        "https://a.xn--85x722f.xn--55qx5d.cn/x"
    )
    assert registrable_domain("https://www.straße.de") == registrable_domain(
        "https://xn--strae-oqa.de"
    )


LETTERS = st.text(alphabet="aZ0-_.~/%:?#é", max_size=8)


@given(st.sampled_from(["http", "https", "HTTP"]), LETTERS, LETTERS, LETTERS)
@example("https", "a", "com", "/a/../b")
@example("https", "a", "com", "/a.b/c_d.jpg/")
@example("https", "xn--a", "com", "/a")
@example("https", "a-.b", "c0m", "/a//b")
def test_what_is_plain_is_normalised_as_everything_is(scheme, host, top, path):
    url = f"{scheme}://{host}.{top}/{path}"

    assert normalize_url(url) == _normalised(url.strip())
    plain = _PLAIN.fullmatch(url)
    assert plain is None or host_of(url) == plain[1]
    assert plain is None or plain[1].split(".")[-2:] == plain[2].split(".")
    assert plain is None or plain[2].split(".")[-1] == plain[3]
    assert key_and_domain(url) == (normalize_url(url), registrable_domain(url))


def test_nearly_all_addresses_are_plain():
    assert _PLAIN.fullmatch("https://www.example.com/img/2024/a-b_c.jpg")
