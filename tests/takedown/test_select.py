from __future__ import annotations

import pytest

from batchscan.enums import Disposition, MatchState
from batchscan.errors import UsageError
from batchscan.model import Provenance, TrackedMatch
from batchscan.takedown import gather, require_reviewed_matches
from tests.support.report_builders import match, picture


def reviewed(url: str, domain: str = "example.com", **changes) -> TrackedMatch:
    return match(url, domain=domain, disposition=Disposition.REVIEWED, **changes)


def test_a_notice_is_about_what_is_reviewed_and_there_on_one_site():
    found = gather(
        [
            picture(
                "/pics/secret client/b.jpg",
                reviewed("http://example.com/2"),
                reviewed("http://example.com/1"),
                reviewed("http://other.org/1", "other.org"),
                reviewed("http://example.com/gone", state=MatchState.GONE),
                *(
                    match(f"http://example.com/{other}", disposition=other)
                    for other in Disposition
                    if other != Disposition.REVIEWED
                ),
            ),
            picture("/a.jpg", reviewed("http://example.com/3"), provenance=Provenance("Ann")),
        ],
        [],
    )

    example, other = found.notices
    assert (example.domain, example.copies, other.domain) == ("example.com", 3, "other.org")
    assert [(work.title, [copy.url[-1] for copy in work.copies]) for work in example.works] == [
        ("a.jpg", ["3"]),
        ("b.jpg", ["1", "2"]),
    ]
    assert example.works[0].provenance.creator == "Ann"


def test_only_what_was_asked_for_is_in_a_notice():
    pictures = [
        picture("/a", reviewed("http://img.example.com/1"), reviewed("http://example.com/2"))
    ]
    found = gather(pictures, [lambda url: "//img." in url])

    assert [copy.url for copy in found.notices[0].works[0].copies] == ["http://img.example.com/1"]


def test_the_order_does_not_depend_on_the_order_of_the_pictures():
    pictures = [
        picture(f"/{name}", reviewed(f"http://{site}/{name}", site))
        for name in "cab"
        for site in ("b.example", "a.example")
    ]

    assert gather(pictures, []).notices == gather(reversed(pictures), []).notices


OPEN = [
    picture("/1", match("http://example.com/1"), match("http://example.com/2")),
    picture("/2", match("http://other.org/1", domain="other.org", disposition=Disposition.NOTICED)),
    picture("/3", match("http://gone.net/1", domain="gone.net", state=MatchState.GONE)),
]


@pytest.mark.parametrize(
    ("asked", "message", "advice"),
    [
        (
            ["example.com"],
            "no match on example.com is marked reviewed: 2 open",
            "batchscan mark reviewed example.com",
        ),
        (["other.org"], "no match on other.org is marked reviewed: 1 noticed", ""),
        (["gone.net"], "no match on gone.net is marked reviewed: 1 gone", ""),
        (["exampel.com"], "no match on exampel.com is known", "did you mean example.com?"),
        (["zzz.zz"], "no match on zzz.zz is known", "there are matches on 3 other sites"),
        (
            [],
            "no match is marked reviewed: 2 open, 1 noticed, 1 gone",
            "batchscan mark reviewed DOMAIN",
        ),
    ],
)
def test_without_reviewed_matches_the_open_ones_are_counted(asked, message, advice):
    covers = [lambda url, site=site: f"//{site}/" in url for site in asked]
    with pytest.raises(UsageError) as caught:
        require_reviewed_matches(gather(OPEN, covers), asked, [])

    assert str(caught.value) == message
    assert advice in (caught.value.advice or "")
    assert bool(advice) == bool(caught.value.advice)


def test_a_pattern_of_pictures_is_in_the_message():
    with pytest.raises(
        UsageError, match="no match of pictures like stock/ or b is marked reviewed"
    ):
        require_reviewed_matches(gather([], []), [], ["stock/", "b"])
