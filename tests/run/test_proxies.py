"""A proxy that is wrong is named as the culprit, before anything is sent where it can never work."""

from __future__ import annotations

import pytest

from tests.support.processes import Process, reports

SECRET = "s3cr3t"


async def run(bench, proxy: str) -> tuple[int, str]:
    process = Process(bench)
    process.environment |= {
        "COPYLEAKS_API_URL": "https://api.copyleaks.example",
        "COPYLEAKS_IDENTITY_URL": "https://id.copyleaks.example",
        "HTTPS_PROXY": proxy,
    }
    code, out, err = await process.run("--retry-for", "0s", "--progress", "none")
    return code, out + err


@pytest.mark.parametrize(
    ("proxy", "why"),
    [
        ("socks5://127.0.0.1:1080", "socks5:// proxies are not supported"),
        ("ftp://127.0.0.1:21", "ftp:// proxies are not supported"),
        (f"http://me:{SECRET}@127.0.0.1:99999", "its port is not a number"),
        ("http://127.0.0.1:port", "its port is not a number"),
        ("http://:3128", "its host or its port is missing"),
        ("http://256.1.1.1:3128", "its host is not a name or an address"),
        ("http://a b:3128", "its host is not a name or an address"),
        (f"http://me:{SECRET}ä@127.0.0.1:3128", "is not ASCII"),
    ],
)
async def test_a_proxy_that_can_never_work_ends_the_run_before_it_begins(bench, proxy, why):
    bench.pictures(1)
    code, said = await run(bench, proxy)

    assert code == 2, said
    assert why in said
    assert SECRET not in said
    assert "HTTPS_PROXY" in said
    assert not (bench.folder / "output").exists()


@pytest.mark.parametrize(
    "proxy",
    [
        f"http://me:{SECRET}@127.0.0.1:9",
        pytest.param(f"http://me:{SECRET}@no-such-proxy.invalid:3128", marks=pytest.mark.slow),
    ],
)
async def test_a_proxy_that_is_not_there_is_what_could_not_be_reached(bench, proxy):
    bench.pictures(1)
    code, said = await run(bench, proxy)

    assert code == 8, said
    place = proxy.rpartition("@")[2]
    assert f"no connection to the proxy to id.copyleaks.example, {place}" in " ".join(said.split())
    assert SECRET not in said
    [report] = reports(bench)
    assert report["files"]["deferred"] == 1
