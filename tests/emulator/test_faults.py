from __future__ import annotations

import asyncio

import aiohttp
import msgspec
import pytest

from batchscan.emulator import Fault, read_faults
from batchscan.emulator.bodies import shaped
from batchscan.emulator.fault_actions import (
    AnswerInstead,
    Delay,
    Drip,
    EmptyBalance,
    Hang,
    Odd,
    Reset,
    RevokeTokens,
    Tear,
)
from batchscan.errors import UsageError
from tests.support import pictures
from tests.support.emulator_client import Clock, lenient

AWAY = AnswerInstead(503, body="empty")


async def statuses(vendor, count: int) -> list[int]:
    return [(await vendor.credits()).status for _ in range(count)]


async def test_a_rule_may_strike_the_nth_request_only(serve):
    vendor = await serve(lenient(faults=(Fault(action=AWAY, route="credits", nth=2),)))
    assert await statuses(vendor, 4) == [200, 503, 200, 200]


async def test_a_rule_may_strike_every_so_many_requests_a_few_times(serve):
    fault = Fault(action=AWAY, route="credits", every=2, count=2)
    vendor = await serve(lenient(faults=(fault,)))
    assert await statuses(vendor, 7) == [200, 503, 200, 503, 200, 200, 200]


async def test_chance_is_the_same_for_the_same_seed(serve):
    fault = Fault(action=AWAY, route="credits", probability=0.5, seed=3)
    vendor = await serve(lenient(faults=(fault,)))
    first = await statuses(vendor, 20)
    assert set(first) == {200, 503}
    vendor.emulator.faults = (fault,)
    assert await statuses(vendor, 20) == first
    vendor.emulator.faults = (Fault(action=AWAY, route="credits", probability=0.0),)
    assert set(await statuses(vendor, 20)) == {200}


async def test_an_outage_has_a_beginning_and_an_end(serve):
    clock = Clock()
    outage = Fault(action=AWAY, after=30, until=90)
    vendor = await serve(lenient(clock=clock, faults=(outage,)))
    told = []
    for since in (29.9, 30, 89.9, 90):
        clock.now = 1000 + since
        told += await statuses(vendor, 1)
    assert told == [200, 503, 503, 200]


async def test_a_rule_may_look_at_the_files_name(serve):
    fault = Fault(action=AWAY, file_name="*.PNG")
    vendor = await serve(lenient(faults=(fault,)))
    names = ("a.png", "b.PNG", "c.jpg")
    told = [(await vendor.check(name[:1] * 3, name=name)).status for name in names]
    assert told == [200, 503, 200]
    assert vendor.emulator.journal.of("check")[1].charged == 0


async def test_rules_can_be_replaced_while_it_runs(serve):
    vendor = await serve()
    vendor.emulator.faults = (Fault(action=AWAY),)
    assert await statuses(vendor, 1) == [503]
    assert vendor.emulator.faults == (Fault(action=AWAY),)
    vendor.emulator.faults = ()
    assert await statuses(vendor, 1) == [200]


@pytest.mark.parametrize(
    ("shape", "start"),
    [
        ("json", b'{"error":{"type":"api_error","id":"temporarily_unavailable","code":9,'),
        ("problem", b'{"type":"https://tools.ietf.org/html/rfc9110#section-15.6.4"'),
        ("message", b'{"message":"'),
        ("error", b'{"error":"'),
        ("text", b"Emulated"),
        ("html", b"<html>"),
        ("empty", b""),
        ("torn", b'{"error":{'),
        ("garbage", b"\x80\x81"),
    ],
)
async def test_an_answer_has_the_shape_and_headers_asked_for(serve, shape, start):
    fault = Fault(
        action=AnswerInstead(503, shape, code=9, headers={"Retry-After": "7"}), route="check"
    )
    vendor = await serve(lenient(faults=(fault,)))
    reply = await vendor.check()
    assert (reply.status, reply.headers["Retry-After"]) == (503, "7")
    assert reply.body.startswith(start)
    assert (reply.body == b"") == (shape == "empty")
    assert vendor.emulator.journal.of("check")[0].charged == 0


@pytest.mark.parametrize(("when", "charged"), [("reading", 0), ("before", 0), ("after", 1)])
@pytest.mark.parametrize("file_name", [None, "*"])
async def test_an_answer_comes_at_the_moment_asked_for(serve, when, charged, file_name):
    fault = Fault(action=AnswerInstead(502, when=when), route="check", file_name=file_name)
    vendor = await serve(lenient(faults=(fault,)))
    assert (await vendor.check(image=pictures.bmp(600, 400))).status == 502
    (entry,) = vendor.emulator.journal.of("check")
    assert (entry.status, entry.charged) == (502, charged)
    early = when == "reading" and file_name is None
    assert (entry.sha256 is None) == early


@pytest.mark.parametrize("when", ["reading", "before", "after"])
async def test_an_error_can_be_torn_and_drip(serve, when):
    answer = Fault(action=AnswerInstead(500, when=when), route="check")
    vendor = await serve(lenient(faults=(answer, Fault(action=Drip(9, 0.001), route="check"))))
    assert (await vendor.check()).status == 500
    vendor.emulator.faults = (answer, Fault(action=Tear(), route="check"))
    with pytest.raises(aiohttp.ClientPayloadError):
        await vendor.check()


def test_a_torn_body_is_no_json():
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(shaped(500, "torn", None).body)


@pytest.mark.parametrize(("when", "charged"), [("before", 0), ("reading", 0), ("after", 1)])
@pytest.mark.parametrize("file_name", [None, "*"])
async def test_a_reset_cuts_the_connection(serve, when, charged, file_name):
    fault = Fault(action=Reset(when), route="check", file_name=file_name)
    vendor = await serve(lenient(faults=(fault,)))
    with pytest.raises(aiohttp.ClientError):
        await vendor.check(image=pictures.bmp(600, 400))
    (entry,) = vendor.emulator.journal.of("check")
    assert (entry.status, entry.charged) == ("reset", charged)
    assert vendor.emulator.account.balance == 1_000_000 - charged


@pytest.mark.parametrize(("when", "charged"), [("before", 0), ("after", 1)])
async def test_a_hang_sends_nothing_and_then_disconnects(serve, when, charged):
    fault = Fault(action=Hang(when, seconds=0.05), route="check")
    vendor = await serve(lenient(faults=(fault,)))
    with pytest.raises(aiohttp.ClientError):
        await vendor.check()
    (entry,) = vendor.emulator.journal.of("check")
    assert (entry.status, entry.charged) == ("hang", charged)


async def test_the_end_of_the_emulator_ends_what_hangs(serve):
    vendor = await serve(lenient(faults=(Fault(action=Hang(), route="check"),)))
    asking = asyncio.create_task(vendor.check())
    async with asyncio.timeout(90):
        await vendor.journalled()
        await vendor.emulator.__aexit__(None, None, None)
        with pytest.raises(aiohttp.ClientError):
            await asking


async def test_a_delay_comes_before_the_answer(serve):
    vendor = await serve(lenient(faults=(Fault(action=Delay(0.05), route="check"),)))
    loop = asyncio.get_running_loop()
    before = loop.time()
    assert (await vendor.check()).status == 200
    assert loop.time() - before >= 0.05


async def test_a_drip_sends_all_in_the_end(serve):
    vendor = await serve(lenient(faults=(Fault(action=Drip(100, 0.001), route="check"),)))
    dripped = await vendor.check()
    vendor.emulator.faults = ()
    assert (await vendor.check()).body == dripped.body


async def test_a_torn_answer_is_shorter_than_it_said(serve):
    vendor = await serve(lenient(faults=(Fault(action=Tear(), route="check"),)))
    with pytest.raises(aiohttp.ClientPayloadError):
        await vendor.check()
    assert vendor.emulator.account.balance == 999_999


async def odd(serve, body):
    vendor = await serve(lenient(faults=(Fault(action=Odd(body)),)))
    reply = await vendor.check()
    assert (reply.status, vendor.emulator.account.balance) == (200, 999_999)
    return reply


async def test_an_odd_answer_may_be_no_json(serve):
    assert (await odd(serve, "not_json")).body.startswith(b"<html>")


async def test_an_odd_answer_may_have_no_list(serve):
    assert "internet" not in (await odd(serve, "no_list")).json["matches"]
    assert (await odd(serve, "null_list")).json["matches"]["internet"] is None


async def test_an_odd_answer_may_have_wrong_types(serve):
    answer = (await odd(serve, "wrong_types")).json
    assert answer["scannedImage"]["actualCredits"] == "one"
    assert None in answer["matches"]["internet"]


async def test_an_odd_answer_may_have_an_unknown_type_or_more_keys(serve):
    assert (await odd(serve, "unknown_type")).json["matches"]["internet"][0]["matchType"] == 7
    assert "new" in (await odd(serve, "extra_keys")).json


async def test_an_odd_answer_may_have_odd_urls_or_very_many(serve):
    urls = [match["url"] for match in (await odd(serve, "odd_urls")).json["matches"]["internet"]]
    assert "javascript:alert(1)" in urls
    assert len((await odd(serve, "huge")).json["matches"]["internet"]) == 20_000


async def test_tokens_can_be_revoked_at_a_request(serve):
    fault = Fault(action=RevokeTokens(), route="check", nth=2)
    vendor = await serve(lenient(faults=(fault,)))
    assert (await vendor.check("id-1")).status == 200
    assert (await vendor.check("id-2")).status == 401
    await vendor.login()
    assert (await vendor.check("id-2")).status == 200


async def test_the_balance_can_be_emptied_at_a_request(serve):
    vendor = await serve(lenient(faults=(Fault(action=EmptyBalance(), file_name="b*"),)))
    assert (await vendor.check("id-1", name="a.jpg")).status == 200
    refused = await vendor.check("id-2", name="b.jpg")
    assert (refused.status, refused.json["error"]["code"]) == (402, 17)


def test_rules_are_read_from_yaml(tmp_path):
    path = tmp_path / "faults.yaml"
    path.write_text(
        "- {route: check, every: 10, action: {type: answer, status: 503, body: html}}\n"
        "- {after: 30, until: 90, action: {type: reset}}\n"
        "- {file_name: '*.png', action: {type: odd, body: huge}}\n"
    )
    assert read_faults(path) == (
        Fault(action=AnswerInstead(503, "html"), route="check", every=10),
        Fault(action=Reset(), after=30, until=90),
        Fault(action=Odd("huge"), file_name="*.png"),
    )


def test_an_empty_file_has_no_rules(tmp_path):
    path = tmp_path / "faults.yaml"
    path.write_text("# none yet\n")
    assert read_faults(path) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {every: 10}", "required field `action`"),
        ("- {evry: 10, action: {type: tear}}", "unknown field `evry`"),
        ("- {action: {type: delay, seconds: 1, more: 2}}", "unknown field `more`"),
        ("- {action: {type: explode}}", "Invalid value 'explode'"),
        ("- {every: 0, action: {type: tear}}", ">= 1"),
        ("action: {type: tear}", "Expected `array`"),
        ("- {", "not YAML"),
        ("\x00", "not YAML"),
    ],
)
def test_a_mistake_in_the_rules_names_the_file_and_the_place(tmp_path, text, said):
    path = tmp_path / "faults.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"faults\.yaml: ") as caught:
        read_faults(path)
    assert said in str(caught.value)


def test_rules_that_cannot_be_read_are_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        read_faults(tmp_path / "none.yaml")
    path = tmp_path / "faults.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not YAML"):
        read_faults(path)
    path.write_bytes(b"#" * 1_000_001)
    with pytest.raises(UsageError, match="larger"):
        read_faults(path)
