"""Wrong values in the tables that can be rebuilt: no command ends, nothing is paid for again."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from contextlib import closing
from typing import Any

import pytest

from batchscan.emulator import Emulator, EmulatorConfig
from batchscan.emulator.bodies import VendorMatch
from tests.support.bench import FAST, Bench
from tests.support.kept_state import alter, keep, put_back
from tests.support.pictures import png, tree
from tests.support.processes import SEVERAL, Process

VALUES = ["NULL", "-1", "9223372036854775807", "1.5e300", "'abc'", "''", "x'00ff'", "x''"]
TABLES = {
    "seals": "realm_id folder_id first_name fingerprint rules oldest matched rejected",
    "portraits": "picture_id thumbnail provenance",
    "digests": "id fingerprint digest",
    "cached_files": "fingerprint name facts run_id path identity",
    "fingerprints": "sha256 hash detail width height taken",
    "changes": "number",
    "arrivals": "run_id",
}
COVER: dict[str, Any] = {"scan": {"renditions": "cover"}}


def copies(sha256: str) -> list[VendorMatch]:
    return [VendorMatch(f"https://one.example/{sha256[:8]}.jpg", 0, ("https://one.example/p",))]


@pytest.fixture
async def scanned(tmp_path):
    config = EmulatorConfig(copies=copies, rates=FAST, duplicate="rescan")
    async with Emulator(config) as emulator:
        bench = Bench(tmp_path, emulator)
        bench.images.mkdir()
        bench.pictures(3)
        tree(bench.images, {"other/q.png": png(16, 16, 77), "other/none.png": b"no picture"})
        for _ in range(2):
            await bench.scan(**COVER)
        keep(bench)
        yield bench


def damage(bench: Bench, table: str, column: str, value: str) -> bool:
    """Set a column, whatever its type; whether the table allows it."""
    try:
        alter(bench, f"UPDATE OR REPLACE {table} SET {column} = {value}")
    except sqlite3.IntegrityError:
        return False
    return True


async def codes_of_readers(bench: Bench) -> list[int]:
    folders = ["--state", str(bench.folder / "state"), "-o", str(bench.folder / "output")]
    pack = bench.folder / "evidence.zip"
    pack.unlink(missing_ok=True)
    words = [
        ["report"],
        ["report", "--all", "--html", "-"],
        ["export", "--format", "csv"],
        ["evidence", "pack", "--domain", "one.example", "--to", str(pack)],
    ]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SEVERAL, json.dumps([[*line, *folders] for line in words]),
        env=Process(bench).environment, cwd="/",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, err = await process.communicate()
    codes: list[int] = json.loads(err.decode().splitlines()[-1])
    return codes


async def assert_rebuilt(bench: Bench, table: str, column: str, value: str) -> None:
    what = (table, column, value)
    put_back(bench)
    if not damage(bench, table, column, value):
        return
    assert await codes_of_readers(bench) == [0, 0, 0, 0], what
    before = len(bench.checks())
    for rehash in (False, True, False):
        ran = await bench.scan(**COVER, rehash=rehash)
        assert (ran.exit_code, ran.report.files.checked) == (0, 4), what
        assert ran.report.matches.total == 4, what
        assert rehash or ran.report.files.unchanged == 5, what
    assert len(bench.checks()) == before, what


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("seals", "matched", "x'90'"),  # as if nothing matched
        ("seals", "rejected", "x'80'"),  # as if nothing was rejected
        ("portraits", "provenance", "-1"),
        ("portraits", "thumbnail", "'abc'"),
        ("digests", "digest", "0.5"),
        ("cached_files", "path", "-1"),
        ("changes", "number", "'abc'"),
        ("fingerprints", "hash", "x'00ff'"),
    ],
)
async def test_a_wrong_value_in_a_cache_ends_nothing(scanned, table, column, value):
    await assert_rebuilt(scanned, table, column, value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "column"),
    [(table, column) for table, columns in TABLES.items() for column in columns.split()],
)
async def test_no_value_in_a_cache_ends_anything(scanned, table, column):
    for value in VALUES:
        await assert_rebuilt(scanned, table, column, value)


@pytest.mark.parametrize(
    "value", ["'abc'", "x'00ff'", "4e9", "NULL", "1.5e300", "9223372036854775807", "-1"]
)
async def test_a_wrong_time_of_a_folders_answers_hides_no_rescan(scanned, value):
    assert damage(scanned, "seals", "oldest", value)
    before = len(scanned.checks())
    ran = await scanned.scan(scan={"rescan_after": 0.001})
    assert ran.statuses() == {"scanned": 4}
    assert len(scanned.checks()) == before + 4


async def test_a_wrong_fingerprint_is_made_again(scanned):
    assert damage(scanned, "fingerprints", "hash", "'abc'")
    await scanned.scan(**COVER)
    scanned.pictures(1, start=50)
    ran = await scanned.scan(**COVER)
    assert (ran.exit_code, ran.statuses()) == (0, {"scanned": 1})
    with closing(sqlite3.connect(scanned.folder / "state" / "ledger.sqlite3")) as ledger:
        kinds = ledger.execute("SELECT DISTINCT typeof(hash) FROM fingerprints").fetchall()
    assert kinds == [("blob",)]


async def test_a_wrong_preview_is_made_again_with_the_next_answer(scanned):
    assert damage(scanned, "portraits", "thumbnail", "'abc'")
    await scanned.scan(force=True)

    with closing(sqlite3.connect(scanned.folder / "state" / "ledger.sqlite3")) as ledger:
        kinds = ledger.execute("SELECT DISTINCT typeof(thumbnail) FROM portraits").fetchall()
    assert kinds == [("blob",)]
