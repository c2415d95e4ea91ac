from __future__ import annotations

from importlib import resources

import pytest

from batchscan.util.public_suffixes import domain_by_rules, is_public_suffix, registrable
from batchscan.util.urls import registrable_domain


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("www.example.com", "example.com"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("pictures.github.io", "github.io"),  # a company's own suffix is none here
        ("a.b.c.ck", "b.c.ck"),  # every name under .ck is a suffix
        ("www.ck", "www.ck"),  # but this one
        ("a.www.ck", "www.ck"),
        ("a.city.kobe.jp", "city.kobe.jp"),
        ("www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"),
        ("a.b.unknown-ending", "a.b.unknown-ending"),
        ("co.uk", "co.uk"),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("a..com", "a..com"),
        ("xn--.xn--", "xn--.xn--"),
        ("a_b.c_d.com", "c_d.com"),
    ],
)
def test_a_host_has_the_domain_that_somebody_registered(host, expected):
    assert registrable(host) == expected
    assert registrable_domain(f"https://{host}/") == expected
    assert registrable_domain(f"https://{host}/a.jpg") == expected


@pytest.mark.parametrize("host", ["com", "co.uk", "ck", "any.ck", "kobe.jp", "xn--55qx5d.cn"])
def test_a_suffix_under_which_anybody_registers_names_is_public(host):
    assert is_public_suffix(host)


@pytest.mark.parametrize(
    "host", ["", "example.com", "www.ck", "city.kobe.jp", "github.io", "a..uk"]
)
def test_a_name_that_has_an_owner_is_not_public(host):
    assert not is_public_suffix(host)


def test_the_fast_rules_agree_with_all_of_the_list():
    listed = resources.files("publicsuffixlist").joinpath("public_suffix_list.dat")
    rules = [line.strip() for line in listed.read_text("utf-8").splitlines()]
    names = [rule.replace("*", "any").lstrip("!") for rule in rules if rule.isascii()]
    hosts = [
        host
        for name in names
        if name and not name.startswith("//")
        for host in (name, f"a.{name}", f"c.b.a.{name}")
        if "." in host
    ]
    assert len(hosts) > 10_000
    for host in hosts:
        *_, second, top = host.split(".")
        assert domain_by_rules(host, f"{second}.{top}", top) == registrable(host)
