from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.copyleaks.errors import BadResponse
from batchscan.copyleaks.responses import _tolerantly, read_check, read_credits
from batchscan.copyleaks.strict_response import documented
from batchscan.copyleaks.whose import named_scan_id
from batchscan.engines.vendor_mapping import parse_answer
from batchscan.enums import MatchKind
from batchscan.model import Score
from tests.support.servers import JSON

SAMPLE = {
    "developerPayload": None,
    "scannedImage": {
        "scanId": "my-scan-1",
        "expectedCredits": 1,
        "actualCredits": 1,
        "creationTime": "2026-05-24T10:00:00Z",
        "width": 1920,
        "height": 1080,
        "filename": "my-photo.jpg",
    },
    "matches": {
        "internet": [
            {
                "url": "https://a.example.co.uk/a.jpg",
                "matchType": 0,
                "webPages": [{"url": "https://a.example.co.uk/page"}],
            },
            {"url": "https://b.example.com/b.jpg", "matchType": 1},
        ],
        "score": {"totalMatches": 2, "fullMatches": 1, "partialMatches": 1},
    },
}


def changed(path: str, value: object) -> bytes:
    """The vendor's sample with one thing changed; `...` takes it away."""
    sample = json.loads(json.dumps(SAMPLE))
    *parents, last = path.split(".")
    where = sample
    for parent in parents:
        where = where[int(parent)] if isinstance(where, list) else where[parent]
    if value is ...:
        del where[last]
    else:
        where[last] = value
    return json.dumps(sample).encode()


def test_the_vendors_sample_is_read_without_a_warning():
    result = read_check(json.dumps(SAMPLE).encode(), "my-scan-1")
    answer = parse_answer(json.dumps(SAMPLE).encode(), 5.0, "my-scan-1")

    assert result.warnings == ()
    assert (result.actual_credits, result.expected_credits) == (1, 1)
    assert [match.kind for match in answer.matches] == [MatchKind.FULL, MatchKind.PARTIAL]
    assert [match.domain for match in answer.matches] == ["example.co.uk", "example.com"]
    assert answer.matches[0].pages == ("https://a.example.co.uk/page",)
    assert answer.matches[1].pages == ()
    assert answer.score == Score(2, 1, 1)


def test_an_empty_list_with_zeros_is_no_match_and_no_warning():
    body = changed(
        "matches",
        {"internet": [], "score": {"totalMatches": 0, "fullMatches": 0, "partialMatches": 0}},
    )

    assert read_check(body, "my-scan-1").warnings == ()
    assert read_check(body, "my-scan-1").internet == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b"{}",
        b'{"matches": {}}',
        b'{"matches": [], "score": 1}',
        b'{"matches": {"internet": null}}',
        b'{"matches": {"internet": {}}}',
        b'{"matches": {"internet": []}',
        b"[" * 100_000,
        b"\xff\xfe{}",
    ],
)
def test_without_a_list_of_matches_an_answer_is_trouble_and_no_surprise(body):
    assert read_check(body).trouble
    assert parse_answer(body, 0.0).trouble
    assert parse_answer(body, 0.0).matches == ()


@pytest.mark.parametrize(
    ("path", "value", "warnings"),
    [
        ("matches.score", ..., ("score_missing",)),
        ("matches.score", "high", ("score_missing",)),
        ("matches.score.totalMatches", 3, ("score_mismatch",)),
        ("matches.score.totalMatches", -2, ("score_missing",)),
        ("scannedImage", ..., ("scan_id_missing", "credits_missing")),
        ("scannedImage", 5, ("scan_id_missing", "credits_missing")),
        ("scannedImage.scanId", "other", ("scan_id_mismatch",)),
        ("scannedImage.actualCredits", "1", ()),
        ("scannedImage.actualCredits", "one", ("credits_missing",)),
        ("scannedImage.actualCredits", 1.0, ()),
        ("scannedImage.actualCredits", 0.5, ()),
        ("scannedImage.actualCredits", -1, ("credits_missing",)),
        ("scannedImage.actualCredits", 1e300, ("credits_missing",)),
        ("scannedImage.actualCredits", True, ("credits_missing",)),
        ("matches.internet.1.matchType", 7, ("unknown_match_type", "score_mismatch")),
        ("matches.internet.1.matchType", None, ("unknown_match_type", "score_mismatch")),
        ("matches.internet.1.matchType", False, ("unknown_match_type", "score_mismatch")),
        ("matches.internet.1.matchType", "full", ("unknown_match_type", "score_mismatch")),
        ("matches.internet.1.matchType", "1", ()),
        ("matches.internet.1.url", ..., ("odd_match", "score_mismatch")),
        ("matches.internet.1.url", "", ("odd_match", "score_mismatch")),
        (
            "matches.internet.1.url",
            "https://a.example.co.uk/a.jpg",
            ("duplicate_match", "score_mismatch"),
        ),
        ("matches.internet.0.webPages", None, ()),
        ("matches.internet.0.webPages", [], ()),
        ("matches.internet.0.webPages", "x", ("odd_web_pages",)),
        ("matches.internet.0.webPages", [5, {"url": None}], ("odd_web_pages",)),
        ("matches.internet.0.extra", {"x": 1}, ()),
    ],
)
def test_whatever_else_is_odd_is_a_warning(path, value, warnings):
    assert read_check(changed(path, value), "my-scan-1").warnings == warnings


def test_an_undocumented_kind_is_kept_as_other():
    answer = parse_answer(changed("matches.internet.1.matchType", 2), 0.0)

    assert [match.kind for match in answer.matches] == [MatchKind.FULL, MatchKind.OTHER]


@pytest.mark.parametrize(
    "score",
    [
        {"totalMatches": "3.0"},
        {"totalMatches": " +3 "},
        {"TotalMatches": 3},
        {"totalMatches": 0, "fullMatches": "2", "partialMatches": 1.0},
        3,
        " 3",
    ],
    ids=repr,
)
def test_a_count_in_any_notation_shows_that_matches_are_missing(score):
    result = read_check(changed("matches.score", score))

    assert result.trouble == "the service counted 3 matches, and 2 could be read"


def test_a_single_match_that_is_missing_is_counted_as_one():
    answer = changed("matches", {"internet": [], "score": {"totalMatches": 1}})

    assert read_check(answer).trouble == "the service counted 1 match, and 0 could be read"


@pytest.mark.parametrize("where", ["error", "scannedImage.error", "matches.score.errors"])
def test_an_error_anywhere_in_an_answer_makes_its_list_doubtful(where):
    trouble = read_check(changed(where, {"message": "search timed out"})).trouble

    assert trouble is not None
    assert "search timed out" in trouble


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("scannedImage.scanId", 17, None),
        ("scannedImage.scanId", " my-scan-2\n", "my-scan-2"),
        ("scannedImage", {"ScanID": "my-scan-2"}, "my-scan-2"),
        ("scannedImage.scanId", "", None),
        ("scannedImage.scanId", [], None),
        ("scannedImage.scanId", False, None),
        ("scannedImage", 5, None),
    ],
)
def test_the_scan_id_that_an_answer_names_is_found_unless_it_is_no_text(path, value, named):
    assert named_scan_id(changed(path, value)) == named


def test_the_sandbox_costs_nothing_whatever_its_mock_says():
    assert parse_answer(json.dumps(SAMPLE).encode(), 0.0, sandbox=True).credits == 0


@given(st.binary(max_size=400))
def test_no_bytes_surprise(body):
    assert parse_answer(body, 0.0).trouble


ENTRIES = st.lists(
    JSON
    | st.fixed_dictionaries(
        {}, optional={"url": st.text() | JSON, "matchType": JSON, "webPages": JSON}
    ),
    max_size=5,
)


@given(
    st.fixed_dictionaries(
        {"internet": ENTRIES}, optional={"score": JSON | st.dictionaries(st.text(), JSON)}
    ),
    JSON,
)
def test_no_answer_with_a_list_surprises_and_all_of_it_can_be_stored(matches, image):
    body = json.dumps({"matches": matches, "scannedImage": image}).encode()
    answer = parse_answer(body, 0.0, "abc")
    assert answer == parse_answer(body, 0.0, "abc")
    for match in answer.matches:
        " ".join((match.url, match.domain, *match.pages)).encode()


@pytest.mark.parametrize("body", [b'{"Amount": 100}', b'{"amount": 100.0, "x": 1}'])
def test_the_balance_is_read(body):
    assert read_credits(body) == 100


@pytest.mark.parametrize("body", [b"", b"{}", b'{"Amount": "many"}', b"[100]"])
def test_an_invalid_balance_is_a_bad_response(body):
    with pytest.raises(BadResponse):
        read_credits(body)


def _entries() -> st.SearchStrategy[object]:
    """Mostly as documented, and now and then odd."""
    url = st.sampled_from(["https://a.example/1", "https://b.example/2", "", "https://c.example/3"])
    page = st.fixed_dictionaries({"url": url | st.none()})
    kind = st.sampled_from([0, 1, 1.0, 2, "0", None, True])
    entry = st.fixed_dictionaries(
        {"url": url | st.just(7)},
        optional={"matchType": kind, "webPages": st.lists(page, max_size=3) | st.none()},
    )
    return st.lists(entry, max_size=3)


@given(
    _entries(),
    st.sampled_from(["my-scan-1", "other", None, 5]),
    st.sampled_from([1, 1.0, 0, None, -1, 2**53, True, "1"]),
    st.lists(st.sampled_from([0, 1, 2, None, 3]), min_size=3, max_size=3) | st.none(),
)
def test_an_answer_as_documented_reads_the_same_at_once_and_tolerantly(
    entries, name, price, counts
):
    names = ("totalMatches", "fullMatches", "partialMatches")
    body = json.dumps(
        {
            "matches": {
                "internet": entries,
                "score": counts and dict(zip(names, counts, strict=True)),
            },
            "scannedImage": {"scanId": name, "actualCredits": price, "expectedCredits": 1},
        }
    ).encode()

    assert read_check(body, "my-scan-1") == _tolerantly(body, "my-scan-1")


def _object(fields: Iterable[str]) -> str:
    return f"{{{', '.join(fields)}}}"


def _fields_of_an_empty_answer(*more: tuple[str, str]) -> st.SearchStrategy[str]:
    """A JSON object of such fields, some of them missing, repeated or in another notation."""
    return st.lists(st.sampled_from(more), max_size=len(more) + 1).map(
        lambda fields: _object(f'"{name}": {value}' for name, value in fields)
    )


SCORES = st.just('{"totalMatches": 0, "fullMatches": 0, "partialMatches": 0}') | (
    _fields_of_an_empty_answer(
        ("totalMatches", "0"),
        ("fullMatches", "0"),
        ("partialMatches", "0"),
        ("totalMatches", "3"),
        ("totalM\\u0061tches", "3"),
        ("hasMore", "true"),
    )
)


@given(
    SCORES,
    SCORES,
    st.lists(
        st.sampled_from(
            [
                '"developerPayload": null',
                '"developerPayload": "mine"',
                '"scannedImage": {"scanId": "my-scan-1", "actualCredits": 1}',
                '"status": "failed"',
                '"nextPage": 2',
                '"score": {"totalMatches": 0, "fullMatches": 0, "partialMatches": 0}',
            ]
        ),
        max_size=2,
    ),
    st.sampled_from(
        ['"filename": "score.png"', '"filename": "a \\"score\\" b"', '"partial": true']
    ),
)
def test_an_empty_answer_reads_the_same_at_once_and_tolerantly(score, again, others, about):
    image = '"scanId": "my-scan-1", "actualCredits": 1, "creationTime": "2026-11-23T18:02:37Z"'
    fields = (
        f'"scannedImage": {{{image}, {about}}}',
        f'"matches": {{"internet": [], "score": {score}}}',
        f'"matches": {{"internet": [], "score": {score}, "score": {again}}}',
    )
    for matches in fields[1:]:
        body = _object((*others, fields[0], matches))
        read = read_check(body.encode(), "my-scan-1")
        assert read == _tolerantly(body.encode(), "my-scan-1")
        if documented(body.encode(), "my-scan-1"):
            assert read.trouble is None


def test_the_vendors_answer_without_a_match_is_read_at_once():
    counts = {"totalMatches": 0, "fullMatches": 0, "partialMatches": 0}
    body = {**SAMPLE, "matches": {"internet": [], "score": counts}}

    assert documented(json.dumps(body).encode(), "my-scan-1") is not None


def test_the_vendors_sample_is_as_documented():
    assert documented(json.dumps(SAMPLE).encode(), "my-scan-1") is not None


MANY = 150_000  # of which comparing each with each would take minutes


def test_very_many_entries_of_one_address_are_one_with_all_their_pages():
    entries = [
        {"url": f"http{'s' * (n % 2)}://a.example.com/", "webPages": [{"url": f"https://p{n}/"}]}
        for n in range(MANY)
    ]
    answer = parse_answer(json.dumps({"matches": {"internet": entries}}).encode(), 0.0)

    assert len(answer.matches) == 1
    assert len(answer.matches[0].pages) == MANY


def test_a_key_that_is_repeated_among_very_many_is_found():
    keys = b"".join(b'"k%d": 1, ' % number for number in range(MANY))
    lists = b'"matches": {"internet": []}, "matches": {"internet": []}'
    body = b"{%s%s%s}" % (keys, b'"k0": 1, ', lists)

    assert parse_answer(body, 0.0).trouble == "the answer says 'matches' more than once"
