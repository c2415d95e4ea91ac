"""What sites answered stands in every report, and in what is handed over."""

import asyncio
import csv
import io
import json
import re
import time
import zipfile
from contextlib import closing

import pytest

from batchscan.cli import main
from batchscan.commands.recheck import RecheckRequest, recheck
from batchscan.enums import Disposition, RecheckVerdict
from batchscan.images.decoding.pool import Decoders
from batchscan.rechecked import MatchRecheck
from batchscan.report.rechecks import described
from batchscan.settings import Recheck
from tests.support.changing_web import ONE, TWO, Web
from tests.support.clocks import FakeClock
from tests.support.rechecking import DAY


@pytest.fixture
async def web(tmp_path):
    """A scanned picture of which one copy is gone, and one is there."""
    web = Web(tmp_path)
    web.shows(ONE, TWO)
    await web.scan()
    web.shows(TWO)
    clock = FakeClock(time.time() + 60)
    async with web.bench() as bench:
        request = RecheckRequest(
            disposition=Disposition.OPEN,
            connect_to=(f"127.0.0.1:{web.port}:127.0.0.1:{web.port}",),
        )
        with closing(Decoders(1)) as decoders:
            for _ in range(2):
                settings = bench.settings(recheck=Recheck(pause=0.0))
                assert (await recheck(settings, request, clock, decoders)).exit_code == 0
                clock.step_wall(1.5 * DAY)
    return web


@pytest.fixture
def shown(web, capsys):
    async def show(*words: str) -> str:
        capsys.readouterr()
        code = await asyncio.to_thread(main, [*words, "--state", str(web.folder / "state")])
        captured = capsys.readouterr()
        assert code == 0, captured.err
        said: str = captured.out
        return said

    return show


async def test_every_report_shows_it(web, shown):
    said = "At the last recheck: 1 there, 1 gone."
    assert said in await shown("report")
    assert said in await shown("report", "--all", "--markdown", "-")
    page = await shown("report", "--all", "--html", "-")
    assert "gone since" in page
    assert "still there; 100% like what was first fetched; 100% like ours" in page
    found = json.loads(await shown("report", "--all", "--json"))
    assert found["rechecks"] == {
        "there": 1, "changed": 0, "gone_once": 0, "gone": 1, "unknown": 0, "overruled": 0,
    }  # fmt: skip

    table = await shown("report", "--all", "--csv", "-")
    rows = {
        "/".join(row["url"].split("/")[-2:]): row
        for row in csv.DictReader(io.StringIO(table.lstrip("\ufeff")))
    }
    assert rows[ONE]["recheck"] == "gone"
    assert (rows[TWO]["recheck"], rows[TWO]["likeness"]) == ("there", "1.00")
    assert rows[TWO]["rechecked_at"]
    assert (rows[ONE]["recheck_http_status"], rows[ONE]["recheck_detail"]) == ("404", "HTTP 404")
    assert rows[ONE]["gone_since"] < rows[ONE]["rechecked_at"]

    unit = await shown("report", "--all", "--junit", "-")
    assert ": gone since " in unit
    assert "still there; 100% like what was first fetched" in unit


async def test_their_pictures_are_shown_on_request_only(web, shown):
    plain = await shown("report", "--all", "--html", "-")
    page = await shown("report", "--all", "--html", "-", "--previews")

    assert 'class="theirs"' not in plain
    assert (
        page.count('<img class="theirs" src="data:image/jpeg;base64,') == 1
    )  # the other one was never fetched
    assert not re.search(r"<img[^>]+src=\"(?!data:)", page)  # nothing is fetched from their sites


async def test_exports_hold_every_field_of_a_recheck(web, shown, tmp_path):
    line = json.loads(await shown("export"))
    checks = {"/".join(match["url"].split("/")[-2:]): match["recheck"] for match in line["matches"]}
    assert (checks[ONE]["verdict"], checks[ONE]["http_status"]) == ("gone", 404)
    assert checks[TWO]["our_likeness"] > 0.95
    [row] = csv.DictReader(io.StringIO((await shown("export", "--format", "csv")).lstrip("\ufeff")))
    assert sorted(row["recheck"].split(", ")) == ["1 gone", "1 there"]
    assert row["rechecked_at"] == max(check["checked_at"] for check in checks.values())

    await shown("evidence", "pack", "--domain", "127.0.0.1", "--to", str(tmp_path / "pack.zip"))
    with zipfile.ZipFile(tmp_path / "pack.zip") as pack:
        case = pack.read("case.html").decode()
        texts = [pack.read(name) for name in pack.namelist() if name.endswith(".json")]
    assert "HTTP 404" in case
    assert (
        sum(b'"verdict": "gone"' in text and b'"verdict": "there"' in text for text in texts) == 1
    )


@pytest.mark.parametrize(
    ("first", "ours", "said"),
    [
        (None, 0.05, "still there; 5% like ours; not fetched before"),
        (None, 0.95, "still there; 95% like ours"),
        (1.0, 0.05, "still there; 100% like what was first fetched; 5% like ours"),
    ],
)
def test_a_report_says_that_an_unlike_picture_was_never_fetched_before(first, ours, said):
    there = MatchRecheck(RecheckVerdict.THERE, 200, 0.0, None, None, first, ours, None)

    assert described(there) == f"rechecked on 1970-01-01: {said}"
