"""Sites over TLS whose authority is the user's own: named by SSL_CERT_FILE, as for all of OpenSSL."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from batchscan.ledger import Ledger, Realm
from batchscan.settings import Api
from tests.support.ledger_entries import enter, shown
from tests.support.pictures import png
from tests.support.tls import Authority, TlsSite, tls_site
from tests.support.web_sites import NOT_THERE, ok

# Host, names in its certificate, and what is said where that is not right.
SITES = {
    "good.example": (("good.example",), None),
    "www.wild.example": (("*.wild.example",), None),
    "bücher.example": (("xn--bcher-kva.example",), None),
    "93.184.216.34": (("93.184.216.34",), None),
    "wrong.example": (("other.example",), "Hostname mismatch"),
    "93.184.216.35": (("93.184.216.36",), "IP address mismatch"),
    "old.example": (("old.example",), "certificate has expired"),
    "plain.example": ((), "no connection"),
}


def answer(path: str) -> bytes:
    return ok(png(64, 48, 1), "Content-Type: image/png") if path == "/a.png" else NOT_THERE


async def recheck(tmp_path, sites: dict[str, TlsSite], **environ: str):
    """What a process of its own says of each host's match."""
    words = [f"--connect-to={site.rule(host)}" for host, site in sites.items()]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "batchscan", "recheck", "--state", str(tmp_path / "state"),
        "--url", "https://*", "--json", *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environ},
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode in (0, 3), err.decode()
    found = json.loads(out)["matches"]
    return {each["url"].split("/")[2]: (each["verdict"], each["detail"]) for each in found}


@pytest.fixture
async def sites(tmp_path):
    """A site for each host, whose copies the ledger knows."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    ledger = Ledger.open(state, Realm(Api().url, sandbox=False))
    enter(ledger, "/p/a.jpg", [shown(f"https://{host}/a.png") for host in SITES])
    ledger.close()
    (tmp_path / "ca").mkdir()
    authority = Authority(tmp_path / "ca")
    async with AsyncExitStack() as stack:
        found = {}
        for host, (names, _) in SITES.items():
            days = timedelta(days=-1 if host.startswith("old") else 9)
            context = authority.context(*(names or ("x.example",)), valid_for=days)
            found[host] = await stack.enter_async_context(tls_site(context, answer))
        plain = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        stack.callback(plain.close)
        found["plain.example"].port = plain.sockets[0].getsockname()[1]
        yield found


@pytest.mark.slow
async def test_an_authority_of_the_users_own_is_trusted_and_each_name_is_checked(tmp_path, sites):
    found = await recheck(tmp_path, sites, SSL_CERT_FILE=str(tmp_path / "ca" / "ca.pem"))

    for host, (_, trouble) in SITES.items():
        verdict, detail = found[host]
        assert verdict == ("unknown" if trouble else "there"), (host, detail)
        assert trouble is None or trouble in detail, (host, detail)
    assert sites["good.example"].names == ["good.example"] * 2  # robots.txt first
    assert sites["bücher.example"].names == ["xn--bcher-kva.example"] * 2
    assert sites["93.184.216.34"].names == [None] * 2  # an address is no name
    assert sites["wrong.example"].heads == []  # nothing is asked of it


@pytest.mark.slow
async def test_a_private_authority_is_not_trusted_by_default(tmp_path, sites):
    found = await recheck(tmp_path, sites)

    assert {verdict for verdict, _ in found.values()} == {"unknown"}
    assert "unable to get local issuer certificate" in found["good.example"][1]
    assert not any(site.heads for site in sites.values())
