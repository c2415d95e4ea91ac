"""One service by all ways to write its address: it is paid once, and has one budget."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.ledger.realms import address_of
from tests.support.processes import Process

HERE = ("127.0.0.1", "127.0.0.2", "localhost", "LOCALHOST", "localhost.")


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("HTTPS://API.Copyleaks.com:443/", "https://api.copyleaks.com"),
        ("https://api.copyleaks.com./", "https://api.copyleaks.com"),
        ("https://api.copyleaks.com/v1/../", "https://api.copyleaks.com"),
        ("https://api.copyleaks.com/%76%31/.", "https://api.copyleaks.com/v1"),
        ("https://b\u00fccher.example", "https://xn--bcher-kva.example"),
        ("http://localhost:80", "http://127.0.0.1"),
        ("http://[::1]:8080", "http://127.0.0.1:8080"),
        ("http://api.copyleaks.com", "http://api.copyleaks.com"),
        ("https://api.copyleaks.com:8443", "https://api.copyleaks.com:8443"),
    ],
)
def test_an_address_is_the_same_however_it_is_written(written, address):
    assert address_of(written) == address


@given(
    st.sampled_from(["http", "HTTP", "Http"]),
    st.sampled_from([*HERE, "[::1]", "[0:0::0001]", "[::ffff:127.0.0.1]"]),
    st.sampled_from(["", "/", "//", "/.", "/./", "/a/..", "/%2e/"]),
)
def test_no_spelling_of_this_machine_is_another_service(scheme, host, rest):
    assert address_of(f"{scheme}://{host}:8080{rest}") == "http://127.0.0.1:8080"


@given(st.text())
def test_whatever_is_written_has_an_address_that_stays(text):
    address = address_of(text)
    assert address_of(address) == address


async def test_no_spelling_of_the_address_is_paid_again(bench):
    bench.pictures(3)
    process = Process(bench)
    port = bench.emulator.url.rpartition(":")[2]
    for url in (bench.emulator.url, f"HTTP://127.0.0.1:{port}/.", f"http://localhost:{port}/"):
        process.environment["COPYLEAKS_API_URL"] = url
        code, _, err = await process.run()
        assert code == 0, err
        assert "paid for again" not in err

    assert bench.charged() == 3


async def test_realms_that_an_older_batchscan_spelled_in_two_ways_become_one(bench):
    bench.pictures(3)
    await bench.scan()
    port = bench.emulator.url.rpartition(":")[2]
    spell(bench, "UPDATE realms SET api_url = ?", f"http://localhost:{port}")
    spell(bench, "INSERT INTO realms (api_url, sandbox) VALUES (?, 0)", f"HTTP://127.0.0.1:{port}")
    spell(bench, "UPDATE pictures SET realm_id = 2 WHERE id = ?", 2)
    spell(bench, "UPDATE files SET realm_id = 2 WHERE picture_id = ?", 2)
    bench.pictures(2, start=3)
    ran = await bench.scan()

    assert ran.exit_code == 0
    assert (ran.report.files.unchanged, ran.report.files.scanned) == (3, 2)
    assert bench.charged() == 5


async def test_what_was_paid_under_two_spellings_counts_for_the_months_budget(bench):
    bench.pictures(3)
    await bench.scan()
    port = bench.emulator.url.rpartition(":")[2]
    spell(bench, "UPDATE realms SET api_url = ?", f"http://localhost:{port}")
    spell(bench, "INSERT INTO realms (api_url, sandbox) VALUES (?, 0)", f"HTTP://127.0.0.1:{port}")
    with closing(sqlite3.connect(bench.folder / "state" / "ledger.sqlite3")) as ledger:
        for table, key in (("pictures", "id"), ("claims", "picture_id"), ("answers", "picture_id")):
            copy_rows(ledger, table, key)
        ledger.commit()
    bench.pictures(2, start=3)
    ran = await bench.scan(spend={"per_month": 7})

    assert (ran.exit_code, ran.report.files.scanned) == (5, 1)  # six were paid for before


def copy_rows(ledger: sqlite3.Connection, table: str, key: str) -> None:
    """Give the second realm what the first one has."""
    changes = {key: f"{key} + 100", "realm_id": "2", "scan_id": "scan_id || 'b'"}
    if table != "pictures":
        changes["id"] = "id + 100"
    names = [row[1] for row in ledger.execute(f"PRAGMA table_xinfo({table})") if not row[6]]
    values = [changes.get(name, name) for name in names]
    ledger.execute(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)} FROM {table}"
    )


async def test_an_address_that_may_be_the_same_service_is_reported(bench):
    bench.pictures(1)
    await bench.scan()
    process = Process(bench)
    process.environment["COPYLEAKS_API_URL"] = f"{bench.emulator.url}/v9"
    _, _, err = await process.run()

    assert f"If it is the same service as {bench.emulator.url}" in " ".join(err.split())


def spell(bench, statement: str, value) -> None:
    with closing(sqlite3.connect(bench.folder / "state" / "ledger.sqlite3")) as ledger:
        ledger.execute(statement, (value,))
        ledger.commit()
