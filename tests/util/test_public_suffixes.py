from __future__ import annotations

import pytest
from tldextract import TLDExtract

from batchscan.util.public_suffixes import is_public_suffix, registrable
from batchscan.util.urls import domain_by_rules, registrable_domain


@pytest.fixture(scope="module")
def extract():
    return TLDExtract(suffix_list_urls=(), cache_dir=None)


def test_the_public_suffix_rules_are_applied_as_tldextract_applies_them(extract):
    rules = extract.tlds
    assert len(rules) > 5_000
    unusual = [rule for rule in rules if rule[0] in "*!" or rule.count(".") > 1]
    international = [rule for rule in rules if not rule.isascii()]
    for rule in (*unusual, *international, *rules[::7]):
        suffix = rule.replace("*", "any").lstrip("!")
        for host in (suffix, suffix.encode("idna").decode()):
            assert is_public_suffix(host) == (extract(host).suffix == host)
            for name in (host, f"a.{host}", f"c.b.a.{host}"):
                expected = extract(name).top_domain_under_public_suffix or name
                assert registrable(name) == expected
                if "." in name and name.isascii() and "xn--" not in name:
                    *_, second, top = name.split(".")
                    assert domain_by_rules(name, f"{second}.{top}", top) == expected


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "co.uk", "a..com", "xn--a.com", "xn--.xn--", "a_b.c_d.com"],
)
def test_an_odd_host_has_the_domain_that_tldextract_finds(extract, host):
    expected = extract(host).top_domain_under_public_suffix or host
    assert registrable_domain(f"https://{host}/") == expected
