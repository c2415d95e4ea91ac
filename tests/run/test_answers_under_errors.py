"""Answers that a gateway labels as errors, over a real server."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from tests.support.answering import match, said
from tests.support.bench import Ran
from tests.support.servers import serving

TOKEN = {"access_token": "the-token-of-the-account"}


@asynccontextmanager
async def failing(status: int, body, asked: list[str]):
    """A service that answers the first check under a status, with a body made from the scan id."""

    async def log_in(_request):
        return web.json_response(TOKEN)

    async def check(request):
        await request.read()
        scan_id = request.match_info["id"]
        asked.append(scan_id)
        first = len(asked) == 1
        content = body(scan_id) if first else said(scan_id)
        code = status if first else 200
        return web.Response(status=code, body=content, content_type="application/json")

    routes = (
        web.post("/v3/account/login/api", log_in),
        web.post("/v1/image-plagiarism-detector/{id}/check", check),
    )
    async with serving(*routes) as url:
        yield url


async def scan(bench, status: int, body) -> tuple[Ran, list[str]]:
    asked: list[str] = []
    async with failing(status, body, asked) as url:
        ran = await bench.scan(api={"url": url, "identity_url": url})
    return ran, asked


@pytest.mark.parametrize("status", [302, 400, 401, 409, 429, 500, 502, 503, 504, 524])
@pytest.mark.parametrize("entries", [(), (match(1, 0, "https://site1.example.com/p"),)], ids=len)
async def test_a_whole_answer_under_an_error_is_not_paid_for_again(bench, status, entries):
    bench.pictures(1)
    ran, asked = await scan(bench, status, lambda scan_id: said(scan_id, *entries))

    assert (ran.exit_code, ran.statuses(), len(asked)) == (0, {"scanned": 1}, 1)
    paid = ran.report.credits
    assert (paid.charged, paid.outcome_unknown) == (1, 0)
    assert ran.report.matches.total == len(entries)


def altered(change):
    def body(scan_id: str) -> bytes:
        answer = json.loads(said(scan_id, match(1)))
        change(answer)
        return json.dumps(answer).encode()

    return body


NO_ANSWERS = {
    "another picture's": lambda _: said("another-id", match(1)),
    "cut off": lambda scan_id: said(scan_id, match(1))[:-9],
    "an error beside it": altered(lambda answer: answer.update(error={"code": 16})),
    "another field": altered(lambda answer: answer.update(traceId="00-ab")),
    "another field of the matches": altered(lambda answer: answer["matches"].update(partial=True)),
    "no charge": altered(lambda answer: answer["scannedImage"].update(actualCredits=0)),
    "no charge named": altered(lambda answer: answer["scannedImage"].pop("actualCredits")),
    "no list": altered(lambda answer: answer["matches"].pop("internet")),
    "no score": altered(lambda answer: answer["matches"].pop("score")),
    "a score of more": lambda scan_id: said(scan_id, match(1), total=2),
    "a page": lambda scan_id: b"<html>" + said(scan_id) + b"</html>",
}


async def test_a_conflict_without_the_answer_is_a_conflict(bench):
    bench.pictures(1)
    ran, asked = await scan(bench, 409, NO_ANSWERS["no charge"])

    assert (ran.exit_code, len(asked), len(set(asked))) == (0, 2, 2)
    assert ran.report.credits.outcome_unknown == 1


@pytest.mark.parametrize("kind", NO_ANSWERS)
async def test_an_error_that_is_no_exact_answer_stays_an_error(bench, kind):
    bench.pictures(1)
    ran, asked = await scan(bench, 502, NO_ANSWERS[kind])

    assert (ran.exit_code, ran.statuses(), len(asked)) == (0, {"scanned": 1}, 2)
    assert ran.report.credits.outcome_unknown == 1
    assert ran.report.matches.total == 0
