"""Key and token show nowhere: not in what is written, printed, logged, represented or listed."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from batchscan import Secret
from batchscan.alerts import make_messages
from batchscan.copyleaks.client import ApiAccount, CopyleaksClient, read_grant
from batchscan.copyleaks.error_table import failure
from batchscan.copyleaks.requests import Request, check, check_form, credits_left, login
from batchscan.copyleaks.secret import SecretStr
from batchscan.copyleaks.token_provider import AccessToken, TokenFile, TokenProvider
from batchscan.copyleaks.transport import Transport
from batchscan.emulator.fault_actions import AnswerInstead, Hang, RevokeTokens
from batchscan.emulator.faults import Fault
from batchscan.engines.local import LocalEngine
from batchscan.ledger import Ledger, Realm
from batchscan.run import Scan
from tests.support.commands import KEY, command, started
from tests.support.ledger_entries import NOW, enter, shown
from tests.support.pictures import dng, tree
from tests.support.receiver import receiving
from tests.support.servers import head_of, scripted, transport

TOKEN = "t0ken-0f-the-l0gin-9c52"
# Answers that are written into files, logs and messages, whatever they are.
FAULTS = (
    Fault(route="check", nth=2, action=RevokeTokens()),
    Fault(route="check", nth=4, action=AnswerInstead(status=400, body="problem")),
    Fault(route="check", nth=5, action=AnswerInstead(status=415, body="json", code=10)),
)


def token_of(bench) -> str:
    token: str = json.loads((bench.folder / "state" / "token.json").read_bytes())["access_token"]
    assert len(token) > 8
    return token


def files_that_hold(folder: Path, secret: str) -> set[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.name for path in found if secret.encode() in path.read_bytes()}


@pytest.mark.slow
@pytest.mark.parametrize("form", ["text", "json"])
async def test_a_scan_at_the_highest_verbosity_logs_neither_key_nor_token(bench_with, form):
    async with bench_with(faults=FAULTS) as bench:
        bench.pictures(8)
        tree(bench.images, {"broken.jpg": b"junk"})
        log = bench.folder / "scan.log"
        process = await started(
            bench, "-v", "--json", "--rate", "1000/s",
            "--log-format", form, "--log-file", str(log), str(bench.images),
        )  # fmt: skip
        out, err = await process.communicate()
        token = token_of(bench)

        assert process.returncode == 3, err
        assert len(log.read_bytes().splitlines()) > 8
        for said in (out, err):
            assert KEY.encode() not in said
            assert token.encode() not in said
        assert files_that_hold(bench.folder, KEY) == set()
        assert files_that_hold(bench.folder, token) == {"token.json"}


@pytest.mark.slow
@pytest.mark.parametrize("words", [("doctor", "--sandbox"), ("credits",), ("report",), ("export",)])
async def test_no_other_command_shows_key_or_token(bench, words):
    bench.pictures(1)
    first = await started(bench, "-q", str(bench.images))
    assert await first.communicate() == (b"", b"")
    process = await started(bench, *words)
    out, err = await process.communicate()

    assert process.returncode == 0, err
    assert out
    assert KEY.encode() not in out + err
    assert token_of(bench).encode() not in out + err


@pytest.mark.slow
async def test_a_scan_that_notifies_people_shows_none_of_their_secrets(bench_with):
    """The targets fail, and say what they were sent."""
    hook, service, signing = "h00k-s3cret", "serv1ce-s3cret", "s1gning-s3cret"
    async with receiving(otherwise=500, answer=f"{hook} {signing}") as receiver:
        url = receiver.url.replace("T0-s3cr3t", hook)
        async with bench_with() as bench:
            bench.pictures(1)
            (bench.folder / "urls").write_text(f"{url.replace('http', 'json', 1)}/{service}\n")
            (bench.folder / "urls").chmod(0o600)
            config, log = bench.folder / "config.yaml", bench.folder / "scan.log"
            config.write_text(
                f"alerts:\n  webhook: {{url: {url}, secret_env: HOOK}}\n  apprise_file: urls\n"
                "  on_new: [/bin/sh, -c, 'env >&2; exit 1']\n"
            )
            first = await started(bench, "-q", str(bench.images))
            assert await first.communicate() == (b"", b"")
            put_in_outbox(bench, "webhook", "command", "apprise:json")
            words = ("-v", "--json", "-c", str(config), "--log-file", str(log))
            line, environment = command(bench, *words, str(bench.images))
            process = await asyncio.create_subprocess_exec(
                *line, env=environment | {"HOOK": signing}, cwd="/",
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            out, err = await process.communicate()

        assert process.returncode == 0, err
        assert len(json.loads(out)["alerts"]["troubles"]) == 3
        assert b"did not get" in err
        for said in (out, err, log.read_bytes()):
            for secret in (hook, service, signing, KEY):
                assert secret.encode() not in said
        assert files_that_hold(bench.folder, hook) == {"config.yaml", "urls"}
        assert files_that_hold(bench.folder, service) == {"urls"}
        assert files_that_hold(bench.folder, signing) == set()
        assert files_that_hold(bench.folder, KEY) == set()


def put_in_outbox(bench, *targets: str) -> None:
    """Messages that wait, as an earlier run left them."""
    realm = Realm(bench.emulator.url, sandbox=False)
    with closing(Ledger.open(bench.folder / "state", realm, record_events=True)) as ledger:
        enter(ledger, "/p/1.jpg", [shown("https://e.example.com/1")])
        with ledger.transaction():
            make_messages(ledger, targets, allows=None, first_answers=True, now=NOW)


HANGING = (Fault(route="check", action=Hang()),)  # until the test has seen enough
processes_are_files = pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="this system shows processes in another way"
)


@processes_are_files
async def test_no_process_shows_key_or_token_in_its_command_line(bench_with):
    async with bench_with(faults=HANGING) as bench:
        bench.pictures(2)
        tree(bench.images, {"raw.dng": dng()})  # judged in a child process
        process = await started(bench, "-q", str(bench.images))
        seen: dict[int, bytes] = {}
        while process.returncode is None and not (len(seen) > 1 and bench.charged()):
            seen |= command_lines(process.pid)
            await asyncio.sleep(0.01)
        token = token_of(bench)
        process.kill()
        await process.communicate()

        assert len(seen) > 1, "the child process was not met"
        for line in seen.values():
            assert KEY.encode() not in line
            assert token.encode() not in line


def command_lines(process: int) -> dict[int, bytes]:
    """Of a process and those below it, as far as they are still there."""
    lines: dict[int, bytes] = {}
    try:
        lines[process] = Path(f"/proc/{process}/cmdline").read_bytes()
        for children in Path(f"/proc/{process}/task").glob("*/children"):
            for child in children.read_text().split():
                lines |= command_lines(int(child))
    except FileNotFoundError:
        pass
    return lines


@processes_are_files
async def test_the_child_process_does_not_even_inherit_the_key(bench_with):
    async with bench_with(faults=HANGING) as bench:
        tree(bench.images, {"raw.dng": dng()})
        process = await started(bench, "-q", str(bench.images))
        inherited = b""
        while process.returncode is None and not (inherited and bench.charged()):
            for child, line in command_lines(process.pid).items():
                if b"decoding.child" in line:  # before that, it is still our own copy
                    inherited = environment_of(child)
            await asyncio.sleep(0.01)
        process.kill()
        await process.communicate()

        assert b"PATH=" in inherited, "the child process was not met"
        assert KEY.encode() not in inherited


def environment_of(process: int) -> bytes:
    return Path(f"/proc/{process}/environ").read_bytes()


async def test_no_object_shows_key_or_token(bench, tmp_path):
    bench.pictures(1)
    settings = bench.settings(account={"api_key": Secret(KEY)})
    account = ApiAccount("https://a.test", "https://b.test", "me@example.com", SecretStr(KEY))
    held = TokenFile(bound_to="x", access_token=TOKEN, expires_at=9e9)
    form = check_form("bs-1", b"picture", "a.png", "image/png", sandbox=False)

    async def granted() -> AccessToken:
        return AccessToken(TOKEN, 9e9)

    provider = TokenProvider(tmp_path / "token.json", "x", granted, lambda: 1.0)
    assert await provider.token() == TOKEN
    async with transport() as sender:
        objects: list[object] = [
            settings,
            settings.account,
            settings.account.api_key,
            account,
            held,
            provider,
            await provider.token(),
            sender,
            CopyleaksClient(account, sender, tmp_path / "token.json", lambda: 1.0),
            LocalEngine(settings, tmp_path / "token.json"),
            Scan(settings),
            AccessToken(TOKEN, 1.0),
            login("https://b.test", "me@example.com", KEY),
            credits_left("https://a.test", TOKEN),
            check("https://a.test", "bs-1", form, TOKEN),
        ]
        for shown in objects:
            text = f"{shown!r} {vars(shown) if hasattr(shown, '__dict__') else ''}"
            assert TOKEN not in text, type(shown)
            assert KEY not in text, type(shown)


def test_a_secret_shows_in_no_way_of_making_text_of_it():
    secret = Secret(KEY)
    ways = (repr(secret), str(secret), f"{secret}", format(secret), f"{secret!r:>9}", f"{[secret]}")
    assert all(KEY not in way for way in ways)
    assert secret.reveal() == KEY


ECHOES = [
    b'{"message": "no such key: SECRET"}',
    b'{"error": {"code": "SECRET", "id": "SECRET", "traceId": "SECRET", "type": "SECRET"}}',
    b'{"SECRET": ["SECRET is wrong"]}',
    b"SECRET",
    b"<html><title>SECRET</title></html>",
    b" " * 1190 + b"SECRET",  # where the text is cut
    b"SECRET" * 400,
    b'{"message": "' + b"x" * 290 + b'SECRET"}',
]


@pytest.mark.parametrize("status", [201, 302, 400, 401, 403, 429, 500, 503])
@pytest.mark.parametrize("body", ECHOES)
@pytest.mark.parametrize("login", [True, False])
def test_an_error_that_echoes_a_secret_does_not_show_any_part_of_it(body, status, login):
    body = body.replace(b"SECRET", KEY.encode())
    error = failure(status, {}, body, login=login, now=0.0, secrets=(KEY,))
    shown = f"{error} {error!r} {error.details}"
    assert KEY[:8] not in shown


def test_a_login_without_a_good_token_does_not_show_the_bad_one():
    with pytest.raises(Exception, match="no token") as caught:
        read_grant(json.dumps({"access_token": f"{TOKEN} {TOKEN}"}).encode(), 0.0)
    assert TOKEN not in f"{caught.value} {caught.value!r} {vars(caught.value)}"


async def test_a_proxys_password_is_in_no_message(monkeypatch):
    async def refuse(reader, writer):
        await head_of(reader)
        writer.write(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with scripted(refuse) as proxy:
        port = proxy.rpartition(":")[2]
        for address in (f"127.0.0.1:{port}", "127.0.0.1:1"):
            monkeypatch.setenv("HTTPS_PROXY", f"http://me:{KEY}@{address}")
            sender = Transport(
                user_agent="batchscan/test",
                connect_timeout=1,
                read_timeout=1,
                connections=1,
            )
            async with sender:
                with pytest.raises(Exception, match="proxy") as caught:
                    await sender.send(Request("GET", "https://api.invalid/x", token=TOKEN))
            assert KEY not in f"{caught.value} {caught.value!r}"
            assert KEY not in f"{sender!r}"


FAILING = """
import pytest, batchscan
from batchscan.ledger import Ledger, Realm
from batchscan.run import Scan
from tests.support.receiver import receiving

pytest_plugins = ["tests.run.conftest"]


def test_an_assertion_about_settings(bench):
    settings = bench.settings(account={"api_key": batchscan.Secret(open(__file__ + ".key").read())})
    assert settings is None


async def test_a_refused_login(bench_with):
    from batchscan.emulator.fault_actions import AnswerInstead
    from batchscan.emulator.faults import Fault
    from batchscan.engines.vendor_client import open_client, open_transport

    refuse = Fault(route="login", action=AnswerInstead(status=401))
    async with bench_with(faults=(refuse,)) as bench:
        secret = batchscan.Secret(open(__file__ + ".key").read())
        settings = bench.settings(account={"api_key": secret})
        async with open_transport(settings) as transport:
            await open_client(settings, transport, bench.folder / "token.json").login()


async def test_a_refused_token(bench_with):
    from batchscan.emulator.fault_actions import AnswerInstead
    from batchscan.emulator.faults import Fault
    from batchscan.engines.vendor_client import open_client, open_transport

    refuse = Fault(route="credits", action=AnswerInstead(status=401))
    async with bench_with(faults=(refuse,)) as bench:
        secret = batchscan.Secret(open(__file__ + ".key").read())
        settings = bench.settings(account={"api_key": secret})
        async with open_transport(settings) as transport:
            client = open_client(settings, transport, bench.folder / "token.json")
            try:
                await client.credits()
            finally:
                import json
                kept = (bench.folder / "token.json").read_bytes()
                open(__file__ + ".token", "w").write(json.loads(kept)["access_token"])


async def test_a_token_that_is_none(bench):
    from aiohttp import web
    from batchscan.engines.vendor_client import open_client, open_transport
    from tests.support.servers import serving

    async def answer(request):
        return web.Response(text=open(__file__ + ".odd").read())

    secret = batchscan.Secret(open(__file__ + ".key").read())
    async with serving(web.post("/v3/account/login/api", answer)) as url:
        settings = bench.settings(
            account={"api_key": secret}, api={"url": url, "identity_url": url}
        )
        async with open_transport(settings) as transport:
            await open_client(settings, transport, bench.folder / "token.json").login()


async def test_a_connection_that_breaks(bench):
    from batchscan.copyleaks.secret import SecretStr
    from batchscan.copyleaks.requests import Request
    from tests.support.servers import head_of, scripted, transport

    async def reset(reader, writer):
        await head_of(reader)
        writer.transport.abort()

    async with scripted(reset) as url, transport() as sender:
        await sender.send(Request("GET", url, token=SecretStr(open(__file__ + ".key").read())))
"""


@pytest.mark.slow
def test_the_output_of_a_failing_test_shows_neither_key_nor_token(tmp_path):
    test = tmp_path / "test_failing.py"
    test.write_text(FAILING)
    Path(f"{test}.key").write_text(KEY)
    Path(f"{test}.odd").write_text(json.dumps({"access_token": f"{TOKEN} {TOKEN}"}))
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--showlocals", "--tb=long", "-p", "no:cacheprovider",
         f"--basetemp={tmp_path / 'its-own'}",  # others remove old folders at the same time
         f"--rootdir={root}", "-c", str(root / "pyproject.toml"), str(test)],
        check=False, capture_output=True, text=True, cwd=root, timeout=120,
    )  # fmt: skip

    assert "5 failed" in ran.stdout, ran.stdout
    assert "AuthenticationFailed" in ran.stdout
    assert "holds no token" in ran.stdout
    assert TOKEN not in ran.stdout + ran.stderr
    assert KEY not in ran.stdout + ran.stderr
    assert Path(f"{test}.token").read_text() not in ran.stdout + ran.stderr
