from __future__ import annotations

import asyncio

import pytest

from tests.support import pictures
from tests.support.emulator_client import lenient


async def test_an_answer_has_the_vendors_fields_in_the_vendors_order(serve):
    vendor = await serve(lenient(wall_clock=lambda: 1_785_000_000.9))
    reply = await vendor.check("my-scan-1", pictures.jpeg(64, 48), "my photo.jpg")
    assert reply.status == 200
    assert reply.body == (
        b'{"developerPayload":null,"scannedImage":{"scanId":"my-scan-1","expectedCredits":1,'
        b'"actualCredits":1,"creationTime":"2026-07-25T17:20:00Z","width":64,"height":48,'
        b'"filename":"my photo.jpg"},"matches":{"internet":[],"score":{"totalMatches":0,'
        b'"fullMatches":0,"partialMatches":0}}}'
    )


async def test_the_developers_payload_comes_back(serve):
    vendor = await serve()
    reply = await vendor.check(developerPayload="ключ \u202e")
    assert reply.json["developerPayload"] == "ключ \u202e"


async def test_answers_are_gzipped_for_those_who_take_it(serve):
    vendor = await serve()
    assert (await vendor.check()).headers["Content-Encoding"] == "gzip"
    vendor.session.headers["Accept-Encoding"] = "identity"
    assert "Content-Encoding" not in (await vendor.check()).headers


async def test_the_sandbox_answers_with_mock_matches_and_charges_nothing(serve):
    vendor = await serve(lenient(credits=5))
    reply = await vendor.check(sandbox=True)
    assert reply.json["matches"]["score"] == {
        "totalMatches": 2,
        "fullMatches": 1,
        "partialMatches": 1,
    }
    assert reply.json["scannedImage"]["actualCredits"] == 0
    full, partial = reply.json["matches"]["internet"]
    assert (full["matchType"], partial["matchType"]) == (0, 1)
    assert "webPages" not in partial
    assert (await vendor.credits()).json == {"Amount": 5}


async def test_a_sandbox_id_and_a_real_one_are_apart(serve):
    vendor = await serve(lenient(duplicate="conflict"))
    assert (await vendor.check("one-id", sandbox=True)).status == 200
    assert (await vendor.check("one-id")).status == 200


async def test_a_used_scan_id_is_a_conflict(serve):
    vendor = await serve(lenient(duplicate="conflict", credits=5))
    await vendor.check()
    again = await vendor.check()
    assert again.status == 409
    assert "same Id" in again.json["error"]["message"]
    assert vendor.emulator.account.balance == 4


async def test_a_used_scan_id_replays_its_answer_at_no_charge(serve):
    vendor = await serve(lenient(credits=5))
    first = await vendor.check(image=pictures.jpeg())
    again = await vendor.check(image=pictures.png(7, 7))
    assert again.body == first.body
    assert vendor.emulator.account.balance == 4


async def test_a_used_scan_id_is_scanned_and_charged_again(serve):
    vendor = await serve(lenient(duplicate="rescan", credits=5))
    await vendor.check()
    again = await vendor.check(image=pictures.png(7, 7))
    assert again.json["scannedImage"]["width"] == 7
    assert vendor.emulator.account.balance == 3


async def test_of_requests_under_one_id_at_once_one_is_charged(serve):
    vendor = await serve(lenient(credits=5, latency=0.02))
    replies = await asyncio.gather(*(vendor.check() for _ in range(4)))
    assert len({reply.body for reply in replies}) == 1
    assert vendor.emulator.account.balance == 4


@pytest.mark.parametrize(("balance", "price", "code"), [(0, 1, 17), (2, 3, 13)])
async def test_without_enough_credits_nothing_is_answered(serve, balance, price, code):
    vendor = await serve(lenient(credits=balance, credits_per_image=price))
    refused = await vendor.check()
    assert (refused.status, refused.json["error"]["code"]) == (402, code)
    assert refused.json["error"]["type"] == "payment_error"
    assert vendor.emulator.account.balance == balance


async def test_the_price_is_reported(serve):
    vendor = await serve(lenient(credits=10, credits_per_image=3))
    image = (await vendor.check()).json["scannedImage"]
    assert (image["expectedCredits"], image["actualCredits"]) == (3, 3)
    assert vendor.emulator.account.balance == 7


@pytest.mark.parametrize("scan_id", ["a", "ab", "x" * 37, "UPPER-CASE", "%C3%A9%C3%A9%C3%A9"])
async def test_a_scan_id_outside_the_vendors_rules_is_refused(serve, scan_id):
    vendor = await serve()
    refused = await vendor.check(scan_id)
    assert (refused.status, refused.json["error"]["type"]) == (400, "invalid_request_error")


async def test_the_widest_of_the_vendors_rules_is_taken(serve):
    vendor = await serve()
    reply = await vendor.check("a%20b!@$~%7C'(1)")
    assert reply.json["scannedImage"]["scanId"] == "a b!@$~|'(1)"


async def test_other_routes_are_not_there(serve):
    vendor = await serve()
    assert (await vendor.ask("GET", "/v1/elsewhere")).status == 404
    reply = await vendor.ask("GET", "/v1/image-plagiarism-detector/my-1/check")
    assert reply.status == 405


async def test_the_journal_shows_every_request(serve):
    vendor = await serve(lenient(credits=50))
    await vendor.check("id-1", pictures.jpeg(), "a.jpg")
    await vendor.check("id-2", b"no picture", "b.jpg", sandbox=True)
    await vendor.credits()
    told = [
        (entry.route, entry.scan_id, entry.file_name, entry.status, entry.charged, entry.sandbox)
        for entry in vendor.emulator.journal
    ]
    assert told == [
        ("login", None, None, 200, 0, False),
        ("check", "id-1", "a.jpg", 200, 1, False),
        ("check", "id-2", "b.jpg", 415, 0, True),
        ("credits", None, None, 200, 0, False),
    ]
    lines = (await vendor.ask("GET", "/_emulator/journal")).body.splitlines()
    assert len(lines) == len(vendor.emulator.journal) == 4
    stats = (await vendor.ask("GET", "/_emulator/stats")).json
    assert stats == {
        "requests": {"login": 1, "check": 2, "credits": 1},
        "statuses": {"200": 3, "415": 1},
        "charged": 1,
        "balance": 49,
    }


async def test_a_full_journal_drops_the_oldest_and_counts_them_still(serve):
    vendor = await serve(lenient(journal_length=2))
    for _ in range(3):
        await vendor.credits()
    assert [entry.route for entry in vendor.emulator.journal.entries] == ["credits"] * 2
    assert vendor.emulator.journal.stats(0).requests == {"login": 1, "credits": 3}


async def test_only_loopback_is_listened_on(serve):
    vendor = await serve(login=False)
    assert vendor.emulator.url.startswith("http://127.0.0.1:")


async def test_a_port_that_is_taken_is_an_oserror(serve):
    port = int((await serve(login=False)).emulator.url.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="address already in use"):
        await serve(lenient(port=port), login=False)


async def test_a_client_that_leaves_while_sending_is_reported_in_the_journal(serve):
    vendor = await serve()
    host, port = vendor.emulator.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /v1/image-plagiarism-detector/my-1/check HTTP/1.1\r\nHost: x\r\n"
        + f"Authorization: Bearer {vendor.token}\r\n".encode()
        + b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n"
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nabc'
    )
    await writer.drain()
    writer.close()
    entry = await vendor.journalled()
    assert (entry.status, entry.sha256, entry.charged) == ("reset", None, 0)


async def test_what_a_client_no_longer_waits_for_is_charged_all_the_same(serve):
    vendor = await serve(lenient(latency=0.5, credits=5))
    asking = asyncio.create_task(vendor.check())
    await asyncio.sleep(0.1)
    asking.cancel()
    await vendor.journalled()
    assert vendor.emulator.account.balance == 4
    assert (await vendor.check()).status == 200
    assert vendor.emulator.account.balance == 4
