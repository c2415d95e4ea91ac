"""Where key, token and pictures go: to the address that was told, and nowhere else."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import yarl
from hypothesis import given
from hypothesis import strategies as st

from batchscan import Alerts, Api, Settings, Webhook
from batchscan.alerts import send_once
from batchscan.alerts.interface import RetryPolicy
from batchscan.alerts.webhook import WebhookTarget
from batchscan.copyleaks.proxies import is_loopback
from batchscan.emulator.fault_actions import AnswerInstead
from batchscan.emulator.faults import Fault
from batchscan.errors import UsageError
from batchscan.run import Scan
from batchscan.settings.catalog import entries
from batchscan.settings.load import load, validate
from tests.support.commands import KEY, command, run
from tests.support.servers import scripted

FOREIGN = [
    "http://api.copyleaks.com",
    "HTTP://API.COPYLEAKS.COM",
    "http://10.0.0.1:8080",
    "http://0.0.0.0",
    "http://[::]",
    "http://169.254.169.254",
    "http://127.0.0.1.example.com",
    "http://localhost.example.com",
    "http://localhost@example.com",
    "http://localhost:80@example.com",
    "http://example.com#@localhost",
    "http://example.com?@localhost",
    "http://example.com\\@localhost",
    "http:\\\\localhost",
    "http://localhost%2eexample.com",
    "http://[::1].example.com",
    "http://[::1]example.com",
    "http://[::ffff:10.0.0.1]",
    "http:localhost",
    "//localhost",
    "ftp://localhost",
    "file:///etc/passwd",
    "ws://localhost",
]
NAMES = ("COPYLEAKS_API_URL", "COPYLEAKS_IDENTITY_URL")


@pytest.mark.parametrize("url", FOREIGN)
@pytest.mark.parametrize("name", ["url", "identity_url"])
def test_what_is_not_https_goes_to_this_machine_only_however_the_address_is_given(
    tmp_path, name, url
):
    variable = "COPYLEAKS_API_URL" if name == "url" else "COPYLEAKS_IDENTITY_URL"
    with pytest.raises(UsageError, match=rf"api\.{name}: found"):
        load({}, {variable: url, "HOME": str(tmp_path)})
    config = tmp_path / "config.yaml"
    config.write_text(f"api:\n  {name}: '{url}'\n")
    with pytest.raises(UsageError, match=rf"api\.{name}: found"):
        load({"config": str(config)}, {})
    with pytest.raises(UsageError, match=rf"api\.{name}: found"):
        validate(replace(Settings(), api=replace(Api(), **{name: url})))


@pytest.mark.parametrize("url", FOREIGN)
def test_what_is_not_https_is_sent_to_this_machine_only(tmp_path, url):
    config = tmp_path / "config.yaml"
    config.write_text(f"alerts:\n  webhook:\n    url: '{url}'\n")
    with pytest.raises(UsageError, match=r"alerts\.webhook\.url: found"):
        load({"config": str(config)}, {})
    with pytest.raises(UsageError, match=r"alerts\.webhook\.url: found"):
        validate(replace(Settings(), alerts=Alerts(webhook=Webhook(url=url))))


PIECES = st.sampled_from(
    ["localhost", "127.0.0.1", "[::1]", "example.com", "10.0.0.1", "@", ":", ":80", "/", "//", ".",
     "%2f", "%40", "#", "?", "\\", "\t", "[", "]", "[::1", "0", "\uff0f", "\u3002", "\u2100", "x"]
)  # fmt: skip


@given(st.lists(PIECES, min_size=1, max_size=6).map("".join))
def test_no_address_is_read_in_two_ways(rest):
    """What settings take for this machine, the library that connects takes for it too."""
    url = f"http://{rest}"
    if is_taken(api=Api(url=url)):
        assert_leads_here(f"{url}/v1/x", encoded=False)
    if is_taken(alerts=Alerts(webhook=Webhook(url=url))):
        assert_leads_here(url, encoded=url.isascii())


def is_taken(**groups) -> bool:
    try:
        validate(replace(Settings(), **groups))
    except UsageError:
        return False
    return True


def assert_leads_here(url: str, *, encoded: bool) -> None:
    try:
        host = yarl.URL(url, encoded=encoded).host
    except ValueError:
        return  # refused before a connection is made
    assert host is not None
    assert is_loopback(host.split("%")[0])


@pytest.mark.slow
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("route", ["login", "check", "credits"])
async def test_a_redirect_sends_no_credentials_to_another_server(bench_with, route, status):
    heard: list[bytes] = []

    async def listen(reader, writer):
        heard.append(await reader.read(100))

    async with scripted(listen) as other:
        to_other = AnswerInstead(status=status, headers={"Location": f"{other}/v1/x"})
        async with bench_with(faults=(Fault(route=route, action=to_other),)) as bench:
            bench.pictures(1)
            async with Scan(bench.settings(), bench.clock) as scan:
                outcomes = [outcome async for outcome in scan]
            met = [entry.status for entry in bench.emulator.journal.of(route)]

    assert heard == []
    assert status in met
    if route != "credits":  # the balance at the end is not worth an exit code
        assert scan.exit_code == 8
        assert [outcome.status for outcome in outcomes] == ["deferred"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed one for 127.0.0.1, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


# What makes other programs, or other times of Python, look away.
LOOK_AWAY = {
    "PYTHONHTTPSVERIFY": "0",
    "CURL_CA_BUNDLE": "",
    "REQUESTS_CA_BUNDLE": "",
    "NODE_TLS_REJECT_UNAUTHORIZED": "0",
    "GIT_SSL_NO_VERIFY": "1",
    "AIOHTTP_NO_EXTENSIONS": "1",
    "SSL_VERIFY": "0",
    "BATCHSCAN_INSECURE": "1",
    "COPYLEAKS_VERIFY": "false",
}


@asynccontextmanager
async def serving_tls(certificate, listen):
    """The https URL of a server with that certificate, for as long as the block lasts."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    server = await asyncio.start_server(listen, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_certificate_that_nobody_signed_is_refused_whatever_the_environment_says(
    bench, certificate
):
    bench.pictures(1)
    heard: list[bytes] = []

    async def listen(reader, writer):
        heard.append(await reader.read(10_000))
        writer.close()

    async with serving_tls(certificate, listen) as url:
        addresses = dict.fromkeys(NAMES, url)
        words = ("--retry-for", "1s", str(bench.images))
        scanned, _ = await run(bench, *words, given=addresses | LOOK_AWAY)
        asked, why = await run(bench, "credits", given=addresses | LOOK_AWAY)

    assert (scanned, asked) == (8, 8)
    assert "the certificate of 127.0.0.1" in why
    assert b"".join(heard) == b""


async def test_an_alert_target_with_an_untrusted_certificate_gets_no_message(certificate):
    heard: list[bytes] = []

    async def listen(reader, writer):
        heard.append(await reader.read(10_000))
        writer.close()

    async with serving_tls(certificate, listen) as url:
        trouble = await send_once(WebhookTarget(url), "0123", b"{}", asyncio.Event())

    assert trouble is not None
    assert trouble.then is RetryPolicy.NEXT_RUN
    assert trouble.what.startswith("the certificate of 127.0.0.1:")
    assert b"".join(heard) == b""


@pytest.mark.slow
async def test_a_certificate_that_the_machine_trusts_is_accepted(bench, certificate):
    """So that the refusal above is the certificate's, and not that of every server."""
    bench.pictures(1)
    heard = asyncio.Event()

    async def listen(reader, writer):
        if KEY.encode() in await reader.read(10_000):
            heard.set()
        writer.write(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with serving_tls(certificate, listen) as url:
        trusted = {"SSL_CERT_FILE": str(certificate / "cert.pem")}
        code, err = await run(bench, str(bench.images), given=dict.fromkeys(NAMES, url) | trusted)

    assert code == 4, err
    assert heard.is_set()


def test_no_setting_turns_verification_off():
    words = ("insecure", "verify", "ssl", "tls", "cert", "proxy", "redirect")
    assert [entry.key for entry in entries() if any(word in entry.key for word in words)] == []


@pytest.mark.slow
async def test_nothing_is_connected_to_but_what_the_settings_name(bench):
    """No update check, no telemetry, no list of domain suffixes: seen by the system's own calls."""
    bench.pictures(2)
    line, environment = command(bench, "-q", str(bench.images))
    script = (
        "import sys, runpy\n"
        "def hook(event, arguments):\n"
        "    if event == 'socket.connect': print(arguments[1], file=sys.stderr)\n"
        "    if event == 'socket.getaddrinfo': print(arguments[:2], file=sys.stderr)\n"
        "sys.addaudithook(hook)\n"
        f"sys.argv = {line[3:]!r}\n"
        "runpy.run_module('batchscan', run_name='__main__')\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-c", script, env=environment, cwd="/",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, err = await process.communicate()
    port = bench.emulator.url.rpartition(":")[2]

    assert process.returncode == 0, err
    assert err.splitlines()
    assert {line.decode() for line in err.splitlines()} <= {
        f"('127.0.0.1', {port})",
        f"('127.0.0.1', '{port}')",
    }
