from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.errors import UsageError
from batchscan.path_patterns import PathPattern, expression_of, patterns_of
from batchscan.walk.ignore_rules import IgnoreFile


@pytest.mark.parametrize(
    ("pattern", "covered", "others"),
    [
        ("drafts/", ["/srv/drafts/a.jpg", "/drafts/x/y/a.jpg"], ["/srv/drafts", "/srv/drafts2/a"]),
        ("*.png", ["/a.png", "/srv/x/b.png"], ["/a.jpg", "/a.png2"]),
        ("/srv/stock/**", ["/srv/stock/a.jpg", "/srv/stock/x/a.jpg"], ["/x/srv/stock/a.jpg"]),
        ("/srv/stock", ["/srv/stock", "/srv/stock/a.jpg"], ["/srv/stock2/a.jpg"]),
        ("stock/a.jpg", ["/stock/a.jpg", "/srv/x/stock/a.jpg"], ["/livestock/a.jpg", "/a.jpg"]),
        ("stock/*.jpg", ["/srv/stock/a.jpg"], ["/srv/stock/x/a.jpg"]),
        ("2024/**/final", ["/x/2024/final/a.jpg", "/2024/a/b/final"], ["/2024/a/finally/a.jpg"]),
        ("**", ["/a.jpg", "/x/y"], []),
        ("#1/", ["/srv/#1/a.jpg"], ["/srv/1/a.jpg"]),
        (r"\!x", ["/srv/!x"], ["/srv/x"]),
        ("b?ch.jpg", ["/b\ufffdch.jpg", "/b\nch.jpg"], ["/bch.jpg"]),
        ("[a-c].jpg", ["/b.jpg"], ["/d.jpg"]),
    ],
)
def test_a_pattern_matches_full_paths_from_any_folder(pattern, covered, others):
    glob = PathPattern.of(pattern)

    assert [path for path in covered if not glob.covers(path)] == []
    assert [path for path in others if glob.covers(path)] == []


def test_names_that_are_not_utf_8_are_covered_as_bytes_and_as_text():
    assert PathPattern.of("stock/").covers(b"/srv/stock/\xe9.jpg")
    assert PathPattern.of("?.jpg").covers("/srv/\udce9.jpg")
    assert PathPattern.of("\udce9.jpg").covers(b"/srv/\xe9.jpg")


@pytest.mark.parametrize(
    "pattern",
    ["", " ", "/", "!stock/", "a[z-a]", "[[:alpha:]]", "x\\", "a\nb", "a\0", "./stock", "a/../b"],
)
def test_a_pattern_that_is_broken_or_matches_nothing_is_named(pattern):
    with pytest.raises(UsageError, match="pattern '"):
        PathPattern.of(pattern)


def test_what_cannot_be_shown_of_a_broken_pattern_is_escaped():
    with pytest.raises(UsageError, match=r"pattern '!\\u202ex'"):
        PathPattern.of("!\u202ex")


@pytest.mark.parametrize(
    "line", ["**/a/" * 12 + "b", "/a/**/" * 40 + "b", "**/*a*a*a*a*/**/" + "*a" * 50 + "*b"]
)
def test_a_hostile_pattern_cannot_stall_on_a_deep_path(line):
    deep = "/" + f"{'a' * 30}/" * 60 + "a/" * 1000

    assert not PathPattern.of(line).covers(f"{deep}c")
    assert IgnoreFile.of(0, [line]).opinion(f"{deep[1:]}c") is None


SEGMENTS = st.lists(st.sampled_from(["a", "b", "**", "*", "a*b", "*a*"]), min_size=1, max_size=6)
PATHS = st.lists(st.sampled_from(["a", "b", "ab", "aab", "ba"]), min_size=1, max_size=8)


@given(SEGMENTS.map("/".join), PATHS.map("/".join), st.sampled_from(["", "/"]))
def test_what_cannot_stall_matches_what_pathspec_matches(line, path, end):
    for pattern in patterns_of(line):
        assert pattern.regex is not None
        plain = pattern.regex.pattern
        plain = plain if plain.startswith("^") else f".*{plain}"
        ours = expression_of(pattern)
        assert bool(ours.match(path + end)) == bool(re.match(plain, path + end))
        assert bool(ours.fullmatch(path + end)) == bool(re.fullmatch(plain, path + end))
