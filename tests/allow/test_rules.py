from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.allow import AllowRules, Rule, Usage
from batchscan.allow.parse import PARSERS, parse_rule
from batchscan.allow.rules import MatchContext

TODAY = date(2026, 11, 23)
ONE, OTHER = "1" * 64, "2" * 64
URL = "https://www.example.com/press/a.jpg"
PATHS = [b"/srv/drafts/a.jpg", b"/srv/stock/\xe9.jpg"]


def rule(**texts: str) -> Rule:
    texts = {"reason": "ours", **texts}
    return parse_rule({key: PARSERS[key](text) for key, text in texts.items()})


def first(*rules: Rule, url=URL, sha256=ONE, paths=PATHS, today=TODAY) -> int | None:
    return AllowRules(rules).rule_for(url, sha256, paths, today)


@pytest.mark.parametrize(
    "texts",
    [
        {"domain": "example.com"},
        {"url": "https://*/press/*"},
        {"images": "stock/"},
        {"sha256": ONE.upper()},
        {"domain": "example.com", "images": "*.jpg", "sha256": ONE},
    ],
)
def test_a_rule_covers_where_all_of_its_conditions_hold(texts):
    assert first(rule(**texts)) == 0


@pytest.mark.parametrize(
    "texts",
    [
        {"domain": "press.example.com"},
        {"url": "example.com/press/*"},
        {"images": "/stock/"},
        {"sha256": OTHER},
        {"domain": "example.com", "images": "/other/"},
        {"domain": "example.com", "sha256": OTHER},
        {"sha256": ONE, "domain": "example.net"},
    ],
)
def test_a_rule_with_a_condition_that_does_not_hold_covers_nothing(texts):
    assert first(rule(**texts)) is None


def test_a_rule_holds_through_its_last_day_and_no_longer():
    until = rule(domain="example.com", until="2026-11-23")

    assert first(until) == 0
    assert first(until, today=date(2026, 11, 24)) is None
    assert first(until, rule(images="stock/"), today=date(2026, 11, 24)) == 1


def test_the_first_rule_of_the_file_counts_whatever_it_is_about():
    rules = [
        rule(domain="example.net"),
        rule(images="stock/"),
        rule(sha256=ONE),
        rule(domain="example.com"),
    ]

    assert first(*rules) == 1
    assert first(*rules, paths=[]) == 2
    assert first(*rules, paths=[], sha256=OTHER) == 3
    assert first(*reversed(rules)) == 0
    assert list(AllowRules(rules).rules_for(URL, ONE, PATHS, TODAY)) == [1, 2, 3]


def test_paths_are_asked_for_only_where_a_rule_is_about_them_and_only_once():
    asked = []

    def paths():
        asked.append(1)
        return PATHS

    rules = [rule(domain="example.net", images="stock/"), rule(domain="example.com")]
    assert first(*rules, paths=paths) == 1
    assert asked == []
    assert first(rule(images="x/"), rule(images="y/"), rule(images="stock/"), paths=paths) == 2
    assert asked == [1]


TEXTS = st.fixed_dictionaries(
    {},
    optional={
        "domain": st.sampled_from(["example.com", "www.example.com", "com", "10.0.0.1"]),
        "images": st.sampled_from(["a/", "/b/*.jpg"]),
        "sha256": st.sampled_from([ONE, OTHER]),
        "until": st.sampled_from(["2026-11-22", "2026-11-23"]),
    },
) | st.fixed_dictionaries({"url": st.sampled_from(["*/a*", "http://10.0.0.1", "example.com/*"])})
RULES = st.lists(TEXTS.filter(lambda texts: texts.keys() - {"until"}), max_size=8)


@given(
    RULES,
    st.sampled_from(["https://example.com/a", "http://www.EXAMPLE.com/b", "http://10.0.0.1/a", ""]),
    st.sampled_from([ONE, OTHER]),
    st.sampled_from([(), (b"/a/x.jpg",), (b"/b/x.jpg", b"/a/y")]),
)
def test_indexed_rule_lookup_finds_every_rule(texts, url, sha256, paths):
    rules = AllowRules(rule(**each) for each in texts)
    one_by_one = [
        number
        for number, each in enumerate(rules.rules)
        if each.holds(TODAY) and each.covers(MatchContext(url, sha256, paths))
    ]

    assert list(rules.rules_for(url, sha256, paths, TODAY)) == one_by_one


def test_a_rule_says_in_a_line_what_it_covers():
    assert rule(domain="example.com", images="stock/").what == "example.com, pictures stock/"
    assert rule(url="*/\u202ea", sha256=ONE).what == r"*/\u202ea, picture 111111111111..."


def test_usage_counts_a_match_for_every_rule_and_once_as_allowed():
    rules = [
        rule(domain="example.com", by="Ann"),
        rule(images="stock/"),
        rule(domain="example.com", until="2026-11-22"),
    ]
    usage = Usage(AllowRules(rules), TODAY)
    usage.add(URL, ONE, PATHS)
    usage.add(URL, OTHER, ())
    usage.add("https://example.net/", ONE, ())

    assert (usage.matches, usage.allowed) == (3, 2)
    assert [(use.covers, use.expired) for use in usage.uses()] == [
        (2, False),
        (1, False),
        (0, True),
    ]
    assert usage.uses()[0].what == "example.com"
    assert (usage.uses()[0].reason, usage.uses()[0].by) == ("ours", "Ann")
    assert usage.uses()[2].until == "2026-11-22"


def test_thousands_of_rules_about_domains_are_not_asked_one_by_one():
    rules = AllowRules(rule(domain=f"d{number}.example.com") for number in range(5_000))

    assert list(rules._domains_asked(MatchContext("https://a.d77.example.com/", ONE, ()))) == [77]
