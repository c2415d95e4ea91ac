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


# What a service may say beside an empty list that makes it doubtful
DOUBTFUL = [
    # paging
    {"nextPage": 2},
    {"nextPage": "https://api.example.com/x?page=2"},
    {"next": "abc"},
    {"@odata.nextLink": "x"},
    {"next_cursor": "c"},
    {"nextPageToken": "t"},
    {"continuationToken": "t"},
    {"cursor": "abc"},
    {"pageInfo": {"hasNextPage": True}},
    {"pageInfo": {"endCursor": "x"}},
    {"moreResults": True},
    {"more": True},
    {"isLast": False},
    {"lastPage": False},
    {"last": False},
    {"totalPages": 3},
    {"pages": 2},
    {"paging": {"pageCount": "4"}},
    {"links": [{"rel": "next", "href": "/x"}]},
    {"_links": {"next": {"href": "/x"}}},
    {"moreAvailable": True},
    {"remainingResults": 4},
    {"resultsAvailable": "12"},
    # counts
    {"resultCount": 3},
    {"matchCount": 1},
    {"hitCount": "2"},
    {"found": 3},
    {"found": True},
    {"numFound": 7},
    {"hasMatches": True},
    {"isMatch": True},
    {"matched": "yes"},
    {"plagiarized": True},
    {"isPlagiarised": True},
    {"similarity": 0.93},
    {"aggregatedScore": 87.5},
    {"plagiarismScore": 80},
    {"message": "3 matches found"},
    {"note": "Found several copies of it"},
    {"message": "matches: 4"},
    {"result": "match"},
    {"outcome": "plagiarized"},
    {"totalHits": 2},
    {"copiesFound": 2},
    {"identicalMatches": 1},
    {"items": [{"id": 1}]},
    {"duplicate": True},
    # failures
    {"quotaExceeded": True},
    {"rateLimited": True},
    {"throttled": True},
    {"message": "Rate limit reached, try again later"},
    {"message": "not all sources responded"},
    {"warnings": [{"code": "LIMIT_REACHED"}]},
    {"warnings": ["only 3 of 5 sources were searched"]},
    {"note": "Results may be incomplete"},
    {"reason": "out of credits"},
    {"statusMessage": "timed out"},
    {"status": "time-out"},
    {"status": "limited"},
    {"status": "QUEUED"},
    {"status": "accepted"},
    {"status": 202},
    {"status": "206 Partial Content"},
    {"code": -1},
    {"errno": 5},
    {"exitCode": 1},
    {"search": {"stopped": True}},
    {"interrupted": True},
    {"missingSources": ["bing"]},
    {"sourcesSearched": 0},
    {"searched_sources": []},
    {"enginesQueried": 0},
    {"progress": 40},
    {"progress": 0.5},
    {"percentComplete": "60%"},
    {"completed": 60},
    {"pending": True},
    {"pendingSources": 2},
    {"inProgress": True},
    {"processing": True},
    {"retryAfter": 30},
    {"final": False},
    {"exhaustive": False},
    {"isFinal": "no"},
    {"reliable": False},
    {"searchDisabled": True},
    {"internetSearch": {"searchEnabled": False}},
    {"hiddenMatches": 3},
    {"filteredResults": 2},
    {"suppressed": 4},
    {"clean": False},
    {"available": False},
    {"result": "unknown"},
    {"result": "inconclusive"},
    {"message": "Unable to search the internet"},
    {"message": "The index is temporarily unavailable"},
    {"description": "the search gave up after 10 s"},
    {"completeness": 0.8},
    {"coverage": "75%"},
    {"state": "terminated"},
    {"_shards": {"total": 5, "successful": 3, "failed": 2}},
    {"outOfCredits": True},
    {"capped": True},
    {"searchStatus": "PARTIAL_SUCCESS"},
    {"resultCode": "NOK"},
    # lists
    {"database": ["id-1"]},
    {"repositories": [{"id": "x"}]},
    {"similarImages": ["a"]},
    {"first": {"url": "https://a.example.com/a.jpg", "matchType": 0}},
    {"exactMatches": [1]},
    {"candidates": [{"id": 2}]},
    {"links": {"x": [{"url": "https://a.example.com"}]}},
]
UNDER_MATCHES = [{"list": ["a"]}, {"ids": [3]}, {"Internet2": ["a"]}, {"other": [{"id": 3}]}]
# What it may say that does not
HARMLESS = [
    {},
    {"nextPage": None},
    {"nextPage": ""},
    {"nextPage": 0},
    {"nextPage": -1},
    {"next": {}},
    {"next": {"href": None}},
    {"hasNext": False},
    {"hasMore": "false"},
    {"cursor": None},
    {"pageInfo": {"hasNextPage": False, "endCursor": None, "startCursor": ""}},
    {"isLast": True},
    {"totalPages": 1},
    {"totalPages": 0},
    {"page": 1, "pageSize": 100, "perPage": 50},
    {"page": 2},
    {"links": [{"rel": "self", "href": "https://api.example.com/x"}]},
    {"_links": {"self": {"href": "https://a.example.com/x"}, "next": None}},
    {"links": [{"rel": "self", "url": "https://api.example.com/x"}]},
    {"resultCount": 0},
    {"found": False},
    {"found": "0"},
    {"hasMatches": False},
    {"similarity": 0.0},
    {"totalMatches": "none"},
    {"matchCount": "0 matches"},
    {"result": "ok"},
    {"result": "no_match"},
    {"result": "not found"},
    {"outcome": "clean"},
    {"status": "completed"},
    {"status": "200 OK"},
    {"status": 201},
    {"statusCode": 200},
    {"state": "scanned"},
    {"code": "OK"},
    {"code": 0},
    {"message": "No full or partial matches were found."},
    {"message": "We could not find any matches"},
    {"message": "Unable to find similar images"},
    {"message": "Search completed: 0 results"},
    {"message": "0 of 3 sources failed"},
    {"message": "nothing found"},
    {"message": "OK"},
    {"error": None},
    {"error": False},
    {"errorCode": 0},
    {"errors": []},
    {"errorMessage": ""},
    {"timedOut": False},
    {"warnings": None},
    {"warnings": []},
    {"partial": False},
    {"partial": "false"},
    {"quota": {"limit": 100, "used": 5, "remaining": 95}},
    {"credits": {"total": 5, "count": 2}},
    {"rateLimit": {"remaining": 99, "limit": 100}},
    {"usage": {"total": 12}},
    {"unlimited": True},
    {"processing": {"timeMs": 12}},
    {"processingTimeMs": 300},
    {"progress": 100},
    {"progress": 1.0},
    {"percentComplete": "100%"},
    {"completed": True},
    {"completedAt": "2026-05-24T10:00:00Z"},
    {"elapsed": 0.3},
    {"sourcesSearched": 12},
    {"engines": ["google"]},
    {"searchedSources": ["web"]},
    {"retries": 1},
    {"final": True},
    {"exhaustive": True},
    {"traceId": "00-abc"},
    {"version": "1.2", "requestId": "abc", "language": "en", "type": "image", "model": "m"},
    {"_shards": {"total": 5, "successful": 5, "failed": 0}},
    {"indexed": 0},
    {"hiddenMatches": 0},
    {"suppressed": []},
    {"took": 13},
    {"status": {"code": 0, "message": "success"}},
    {"similarImages": []},
    {"safeSearch": "off"},
    {"sandbox": False},
    {
        "warnings": [
            {"message": "the file name has no extension", "docsUrl": "https://docs.example.com/x"}
        ]
    },
    {"webPages": []},
    {"cached": True},
    {"image": {"url": "https://cdn.example.com/x.jpg"}},
    {"notices": ["This endpoint is new"]},
    {"summary": {"fullMatches": 0, "partialMatches": 0}},
    {"matchType": None},
    {"success": True, "done": True},
    {"confidence": 0.98},
    {"expiresAt": "2026"},
    {"retryable": False},
]


@pytest.mark.parametrize("more", DOUBTFUL, ids=repr)
def test_what_makes_an_empty_list_doubtful_is_not_no_match(more):
    assert read_check(empty(**more)).trouble
    assert read_check(empty(more)).trouble


@pytest.mark.parametrize("more", UNDER_MATCHES, ids=repr)
def test_a_list_beside_the_empty_one_is_not_no_match(more):
    assert read_check(empty(more)).trouble


@pytest.mark.parametrize("more", HARMLESS, ids=repr)
def test_what_says_nothing_about_matches_leaves_no_match(more):
    assert read_check(empty(**more)).trouble is None
    assert read_check(empty(more)).trouble is None


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "more",
    [
        {"message": "one ab c" * 1_000_000},
        {"warnings": ["one two three " * 60] * 10_000},
        {chr(97 + n % 26) * 80 + "ab"[n % 2] * (n // 26): n % 2 for n in range(2_000)},
    ],
    ids=lambda more: next(iter(more))[:9],
)
def test_more_than_can_be_checked_is_not_no_match(more):
    assert read_check(empty(**more)).trouble


@given(JSON)
def test_no_answer_surprises(value):
    contradiction({"matches": {"internet": [], "more": value}, "score": value})
