"""What runs say of the pictures that have no answer, and which run is the last one to look at."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import sys

import pytest

from batchscan.emulator import Fault
from batchscan.emulator.fault_actions import AnswerInstead
from tests.support.fault_cells import login
from tests.support.limits import NO_OVERRIDE
from tests.support.pictures import jpeg, png, tree
from tests.support.processes import Process, reports, until

UNCHECKED = {
    "corrupt": 1,
    "empty": 2,
    "not_an_image": 1,
    "too_large": 1,
    "unsupported_format": 1,
}
FIRST_LINE = (
    "2 of 8 pictures are checked. 6 are not: 2 empty, 1 over 20 MB, 1 in an unsupported format, "
    "1 not an image, 1 damaged."
)


def fill(bench) -> None:
    tree(
        bench.images,
        {
            "a.png": png(16, 16, 1),
            "deep/b.png": png(16, 16, 2),
            "deep/empty.png": b"",
            "empty.png": b"",
            "cut.jpg": jpeg(64, 64, 3)[:700],
            "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "large.bmp": b"BM" + bytes(20_000_000),
            "text.jpg": b"no picture at all",
        },
    )


async def test_rejected_pictures_are_unchecked_in_every_run_and_every_format(bench):
    fill(bench)
    process, metrics = Process(bench), bench.folder / "batchscan.prom"
    for unchanged in (False, True, True):  # the last one by seals
        code, out, _ = await process.run("--metrics-file", str(metrics))
        run = json.loads((bench.folder / "output" / "latest" / "report.json").read_bytes())
        folder = bench.folder / "output" / "latest"

        assert code == 0
        assert " ".join(out.split()).startswith(FIRST_LINE)
        assert (run["files"]["checked"], run["files"]["unchecked"]) == (2, 6)
        assert run["files"]["unchanged_rejected"] == (6 if unchanged else 0)
        assert run["unchecked"] == UNCHECKED
        assert FIRST_LINE in (folder / "report.html").read_text()
        assert (
            'batchscan_images_by_check{check="unchecked",scan="batchscan"} 6.0'
            in metrics.read_text()
        )
        assert (
            'batchscan_images_unchecked{reason="empty",scan="batchscan"} 2.0' in metrics.read_text()
        )


async def test_unchecked_pictures_set_off_fail_on_in_every_run(bench):
    fill(bench)
    process = Process(bench)
    for _ in range(2):
        code, _, err = await process.run("-q", "--fail-on", "unchecked,full")

        assert code == 10
        assert "6 of 8 pictures are not checked: " in err
        assert "2 empty" in err
    code, _, err = await process.run("-q", "--fail-on", "full")
    assert (code, err) == (0, "")


async def test_a_run_that_checked_nothing_never_replaces_a_good_report(bench):
    bench.pictures(2)
    process = Process(bench)
    assert (await process.run("-q"))[0] == 0
    latest = bench.folder / "output" / "latest"
    good = os.readlink(latest)
    bench.pictures(1, start=5)
    planned, _, _ = await process.run("-n")
    bench.emulator.faults = (login(AnswerInstead(status=401, body="message")),)
    process.environment["COPYLEAKS_API_KEY"] = "a-wrong-key"
    refused, _, _ = await process.run()
    bench.emulator.faults = ()
    process.environment["COPYLEAKS_API_URL"] = "http://127.0.0.1:9"
    process.environment["COPYLEAKS_API_KEY"] = "key-of-the-account"
    code, _, _ = await process.run("--retry-for", "1s")

    assert (planned, refused, code) == (0, 4, 8)
    assert os.readlink(latest) == good
    plan = bench.folder / "output" / "latest-dry-run"
    assert json.loads((plan / "report.json").read_bytes())["run"]["dry_run"]


async def test_a_real_folder_called_latest_is_a_warning_and_the_report_agrees(bench):
    bench.pictures(1)
    (bench.folder / "output" / "latest" / "mine").mkdir(parents=True)
    code, _, err = await Process(bench).run()
    [run] = reports(bench)

    assert code == run["run"]["exit_code"] == 0
    assert "latest is a folder" in err


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has capabilities")
async def test_folders_that_cannot_be_read_are_named_everywhere(bench):
    bench.pictures(1)
    for name in ("closed", "locked", "other", "shut"):
        (bench.images / name).mkdir(mode=0o000)
    process = Process(bench)
    code, _, err = await process.run("-q", "--rehash", program=NO_OVERRIDE)
    [run] = reports(bench)
    page = (bench.folder / "output" / "latest" / "report.html").read_text()

    assert code == 3
    assert run["files"]["unreadable_folders"] == 4
    assert [os.path.basename(each) for each in run["files"]["unreadable_folder_names"]] == [
        "closed",
        "locked",
        "other",
        "shut",
    ]
    assert f"4 folders could not be read: {bench.images}/closed, " in err
    assert "1 more" in err
    assert "images/shut" in page


async def test_in_a_terminal_a_stop_is_reported_once_with_what_is_left(bench_with):
    async with bench_with(latency=0.3) as bench:
        bench.pictures(400)  # so many that the signal comes before their end on any machine
        main, terminal = pty.openpty()
        process = await Process(bench).start("-j", "2", stdout=terminal, stderr=terminal)
        os.close(terminal)
        await until(bench.checks)
        process.send_signal(signal.SIGINT)
        said = await asyncio.to_thread(read_all, main)
        await process.wait()

    assert process.returncode == 130
    assert said.count("stopped by SIGINT") == 1
    assert said.count("run the same command again") == 1
    assert "of the pictures found are left" in said
    assert "100%" not in said


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has capabilities")
@pytest.mark.parametrize("piped", [False, pytest.param(True, marks=pytest.mark.slow)])
async def test_lost_coverage_is_reported_once_in_the_summary(bench, piped):
    bench.pictures(1)
    (bench.images / "shut").mkdir(mode=0o000)
    main, terminal = pty.openpty()
    out = asyncio.subprocess.PIPE if piped else terminal
    process = await Process(bench).start(stdout=out, stderr=terminal, program=NO_OVERRIDE)
    os.close(terminal)
    said = await asyncio.to_thread(read_all, main)
    await process.wait()

    assert process.returncode == 3
    assert said.count("images/shut") == 1


def read_all(terminal: int) -> str:
    parts = []
    try:
        while part := os.read(terminal, 65_536):
            parts.append(part)
    except OSError:  # the other side is closed
        pass
    os.close(terminal)
    return " ".join(b"".join(parts).decode(errors="replace").split())


GRAVER = {
    "auth": (4, login(AnswerInstead(status=401, body="message"))),
    "credits": (6, Fault(route="check", action=AnswerInstead(status=402))),
    "unavailable": (8, Fault(route="check", action=AnswerInstead(status=404))),
}


@pytest.mark.parametrize("reason", GRAVER)
@pytest.mark.parametrize("spend", [{"limit": 1}, {"limit": 5}, {"max_credits": 1}])
async def test_what_a_limit_would_have_kept_back_is_left_for_the_graver_reason(
    bench, reason, spend
):
    bench.pictures(40)
    code, fault = GRAVER[reason]
    bench.emulator.faults = (fault,)
    ran = await bench.scan(spend=spend)

    assert (ran.exit_code, ran.reasons()) == (code, {reason: 40})
    assert ran.report.unchecked == {reason: 40}


async def test_a_limit_that_was_reached_keeps_the_rest_back(bench):
    bench.pictures(40)
    ran = await bench.scan(spend={"limit": 5})

    assert (ran.exit_code, ran.reasons()) == (5, {"limit": 35})
    assert len(bench.checks()) == 5


async def test_with_the_price_of_a_credit_money_is_named(bench_with):
    async with bench_with(price_of=lambda number: 2) as bench:
        bench.pictures(3)
        config = bench.folder / "config.yaml"
        config.write_text("spend: {credit_price: 0.015 EUR}\n")
        process = Process(bench)
        _, plan, _ = await process.run("-c", str(config), "-n")
        _, done, _ = await process.run("-c", str(config))
        planned, scanned = reports(bench)
        page = (bench.folder / "output" / "latest" / "report.html").read_text()

    assert "(0.09 EUR)" in page
    assert ": 3 credits (0.045 EUR). That takes at least" in " ".join(plan.split())
    assert planned["credits"]["money"]["expected"] == "0.045 EUR"
    assert "Credits: 6 charged (0.09 EUR)" in done
    assert scanned["credits"]["money"] == {
        "price": "0.015 EUR",
        "charged": "0.09 EUR",
        "expected": "0.09 EUR",
        "outcome_unknown": "0.00 EUR",
    }


@pytest.mark.parametrize(
    "price", ["0.01", "EUR 0.01", "-1 EUR", "1e3 EUR", "0.01 euros", "nan EUR"]
)
async def test_a_price_without_its_currency_is_refused(bench, price):
    config = bench.folder / "config.yaml"
    config.write_text(f"spend: {{credit_price: {price!r}}}\n")
    code, _, err = await Process(bench).run("-c", str(config), "-n")

    assert code == 2
    assert "spend.credit_price" in err
    assert "such as 0.01 EUR" in err
