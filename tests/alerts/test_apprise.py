"""Services that apprise reaches, here its own `json://` to a server on loopback."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import time

import pytest

from batchscan.alerts import send_once
from batchscan.alerts.apprise import AppriseTarget, UrlLine, service_targets
from batchscan.alerts.payload import body_json, list_json, sample_message
from batchscan.errors import UsageError
from tests.support.alert_matches import match

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of its plugins
SECRET = "T0-s3cr3t"


def service(receiver, query: str = "") -> AppriseTarget:
    url = receiver.url.replace("http://", "json://")
    return AppriseTarget("apprise:json", UrlLine("line 1", f"{url}{query}"))


async def send(target: AppriseTarget, *matches: bytes, most: float = 30.0):
    body = body_json("0123", "r1", list_json(matches))
    return await send_once(target, "0123", body, asyncio.Event(), most)


async def test_a_service_gets_a_short_text_with_nothing_attached(receiver):
    receiver.otherwise = 200
    assert await send(service(receiver), match("https://evil.example.com/a.jpg")) is None

    [heard] = receiver.heard
    assert heard.message["title"] == "batchscan: 1 new match of 1 picture"
    assert "hxxps://evil[.]example[.]com/a.jpg" in heard.message["message"]
    assert "https://evil" not in heard.message["message"]
    assert heard.message["attachments"] == []


async def test_a_test_says_that_it_is_one(receiver):
    receiver.otherwise = 200
    name, body = sample_message()
    assert await send_once(service(receiver), name, body, asyncio.Event()) is None
    assert "nothing was found" in receiver.heard[0].message["message"]


@pytest.mark.parametrize("status", [500, 404, 0])
async def test_a_service_that_fails_is_tried_again_and_nothing_of_its_url_is_said(
    receiver, status, caplog, capfd
):
    receiver.otherwise = status
    with caplog.at_level(logging.DEBUG):
        trouble = await send(service(receiver))
    said = capfd.readouterr()

    assert trouble is not None
    assert "apprise could not deliver it" in trouble.what
    ours = [each.getMessage() for each in caplog.records if not each.name.startswith("aiohttp")]
    assert SECRET not in f"{trouble} {ours} {said.out} {said.err}"


async def test_a_service_that_takes_too_long_is_left_behind(receiver):
    receiver.delay = 60.0
    started = time.monotonic()
    trouble = await send(service(receiver), most=1.0)

    assert trouble is not None
    assert trouble.what == "no result after 1 s"
    assert time.monotonic() - started < 60.0


def test_services_are_named_by_their_kind_and_their_place_among_it():
    lines = [
        UrlLine(f"line {number}", url)
        for number, url in enumerate(
            ["json://one.example", "xml://a.example", "json://two.example", "JSON://three.example"]
        )
    ]
    names = [target.name for target in service_targets(lines)]
    assert names == ["apprise:json", "apprise:xml", "apprise:json-2", "apprise:json-3"]


@pytest.mark.parametrize("url", ["slak://T0-s3cr3t/x", "slack://T0-s3cr3t", "T0-s3cr3t", "x"])
def test_a_url_that_apprise_cannot_use_is_named_by_its_place_only(url, capfd, caplog):
    with pytest.raises(UsageError, match="line 7: ") as caught:
        list(service_targets([UrlLine("line 7", url)]))
    said = capfd.readouterr()
    shown = f"{caught.value} {caught.value.advice} {caplog.text} {said.out} {said.err}"
    assert SECRET not in shown
    assert SECRET not in repr(UrlLine("line 7", url))


def test_apprise_is_only_required_when_it_is_used(tmp_path):
    """In a process in which it cannot be imported, as where the extra was not installed."""
    script = (
        "import sys; sys.modules['apprise'] = None\n"
        "from batchscan.alerts import open_targets\n"
        "from batchscan.settings import Alerts\n"
        "print(open_targets(Alerts(on_new=('true',)), {'PATH': '/bin:/usr/bin'})[0].name)\n"
        "try: open_targets(Alerts(apprise_env='U'), {'U': 'json://127.0.0.1'})\n"
        "except Exception as error: print(type(error).__name__, error, error.advice)\n"
    )
    environment = {name: os.environ[name] for name in os.environ if name.startswith("COV")}
    ran = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    named, refused = ran.stdout.splitlines()
    assert named == "command"
    assert refused.startswith("UsageError alerts.apprise_env: environment U: apprise is not inst")
    assert "pip install 'apprise>=" in refused
