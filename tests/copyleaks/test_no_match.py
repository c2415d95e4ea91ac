from __future__ import annotations

import json
import math

import pytest
from hypothesis import given

from batchscan.copyleaks.no_match import contradiction
from batchscan.copyleaks.responses import read_check
from tests.support.servers import JSON

ZEROS = {"totalMatches": 0, "fullMatches": 0, "partialMatches": 0}
ENTRY = {"url": "https://a.example.com/a.jpg", "matchType": 0}


def empty(matches: dict[str, object] | None = None, **more: object) -> bytes:
    """An answer with an empty list, unless `matches` has another one."""
    listed = {"internet": [], "score": ZEROS} | (matches or {})
    image = {"scanId": "my-scan-1", "actualCredits": 1, "expectedCredits": 1}
    return json.dumps({"scannedImage": image, "matches": listed} | more).encode()


@pytest.mark.parametrize(
    "score",
    [
        {"total": 3},
        [3],
        "high",
        True,
        math.nan,
        ZEROS | {"totalMatches": "3 matches"},
        ZEROS | {"totalMatches": "3,000"},
        ZEROS | {"totalMatches": {"value": 3}},
        ZEROS | {"fullMatches": [ENTRY]},
        ZEROS | {"aggregatedScore": 87.5},
        ZEROS | {"totalMatches": -2},
    ],
    ids=repr,
)
def test_a_score_that_is_not_empty_contradicts_an_empty_list(score):
    assert read_check(empty({"score": score})).trouble
    assert read_check(empty(score=score)).trouble


@pytest.mark.parametrize(
    "body",
    [
        empty({"database": [{"id": 1}]}),
        empty({"Internet": [ENTRY]}),
        empty(Matches={"internet": [ENTRY]}),
        empty(results={"found": [{"imageUrl": "https://a.example.com/"}]}),
        empty(found=["https://a.example.com/a.jpg"]),
        empty({"byAddress": {"https://a.example.com/a.jpg": {"matchType": 0}}}),
        empty(found=[{"src": "https://a.example.com/a.jpg"}]),
        empty({"internet": [ENTRY]}).replace(b'"score"', b'"\\u0069nternet": [], "score"'),
        empty().replace(b'"score"', b'"score": {"totalMatches": 5}, "score"'),
        empty().replace(b'"totalMatches": 0', b'"totalMatches": 5, "totalMatches": 0'),
    ],
    ids=bytes.decode,
)
def test_entries_under_another_name_or_hidden_by_a_second_one_are_not_no_match(body):
    assert read_check(body).trouble


@pytest.mark.parametrize(
    "more",
    [
        {"status": "error"},
        {"status": 503, "title": "Service degraded", "type": "about:blank"},
        {"statusCode": 500},
        {"success": False},
        {"exception": "NullReference"},
        {"hasErrors": True},
        {"fault": {"code": 5}},
        {"partial": True},
        {"status": "Processing"},
        {"state": "cancelled"},
        {"status": "503 Service Unavailable"},
        {"status": False},
        {"code": 500},
        {"isComplete": False},
        {"success": "false"},
        {"timedOut": True},
        {"degraded": True},
        {"hasMore": True},
        {"limitReached": True},
        {"warnings": ["the search engine is unavailable"]},
        {"message": "An internal error occurred"},
        {"search": {"status": "failed"}},
        {"search": {"sources": [{"errors": ["timeout"]}]}},
    ],
    ids=repr,
)
def test_a_statement_that_the_search_failed_contradicts_an_empty_list(more):
    assert read_check(empty(**more)).trouble
    assert read_check(empty(more)).trouble
    assert read_check(empty({"internet": [ENTRY]}, **more)).internet


@pytest.mark.parametrize(
    "more",
    [
        {"totalMatches": 3},
        {"total": 3},
        {"matchesCount": 2},
        {"pagination": {"page": 1, "totalResults": "4"}},
        {"scores": {"total": 3}},
        {"summary": {"fullMatches": 1}},
    ],
    ids=repr,
)
def test_a_count_elsewhere_contradicts_an_empty_list(more):
    assert read_check(empty(**more)).trouble
    assert read_check(empty(more)).trouble


@pytest.mark.parametrize(
    "body",
    [
        empty(),
        empty(message="No matches found, without errors", warnings=[], code=0, state="finished"),
        empty(developerPayload="error", pagination={"page": 1, "pageSize": 100, "total": 0}),
        empty({"count": 0, "hasMore": False, "next": None}, errorCount=0, timeouts=0),
        empty({"score": None}),
        empty({"score": ZEROS | {"aggregatedScore": 0.0}}),
        empty({"score": dict.fromkeys(ZEROS, "0")}),
        empty({"database": []}),
        empty(status=200, success=True, message="done", defaultLanguage="en", errors=[]),
        empty(links=[{"rel": "self", "href": "https://api.example.com/"}], partial=False),
    ],
    ids=bytes.decode,
)
def test_an_empty_list_that_nothing_contradicts_is_no_match(body):
    assert read_check(body).trouble is None


@given(JSON)
def test_no_answer_surprises(value):
    contradiction({"matches": {"internet": [], "more": value}, "score": value})
