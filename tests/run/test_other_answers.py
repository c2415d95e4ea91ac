"""Answers to other questions, over a real server that speaks HTTP byte by byte."""

from __future__ import annotations

import json

import pytest

from tests.support.servers import scripted, whole_request


def answer(body: object) -> bytes:
    data = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(data), data)


def check(scan_id: str) -> bytes:
    score = {"totalMatches": 0, "fullMatches": 0, "partialMatches": 0}
    image = {"scanId": scan_id, "actualCredits": 1, "expectedCredits": 1}
    return answer({"matches": {"internet": [], "score": score}, "scannedImage": image})


@pytest.mark.parametrize("kind", ["shifted", "always"])
async def test_another_pictures_answer_is_never_this_ones(bench, kind):  # noqa: PLR0915
    asked: list[str] = []

    async def script(reader, writer):
        before = None
        while True:
            head = (await whole_request(reader)).split(b" ")[1].decode()
            if "login" in head:
                writer.write(answer({"access_token": "a"}))
                continue
            if "credits" in head:
                writer.write(answer({"Amount": 100}))
                continue
            scan_id = head.split("/")[3]
            asked.append(scan_id)
            named = "bs-other" if kind == "always" else before or scan_id
            before = scan_id
            writer.write(check(named))

    bench.pictures(6)
    async with scripted(script) as url:
        api = {"url": url, "identity_url": url}
        ran = await bench.scan(api=api, pace={"concurrency": 1})

    if kind == "always":
        assert ran.exit_code == 8
        assert ran.reasons() == {"outcome_unknown": 1, "unavailable": 5}
        assert (len(asked), len(set(asked))) == (2, 1)
        assert ran.report.credits.outcome_unknown == 2
    else:
        assert (ran.exit_code, ran.statuses()) == (0, {"scanned": 6})
        assert len(asked) == 7
        assert ran.report.credits.outcome_unknown == 1
