"""Scans on a Dask cluster of real processes: what is promised on one machine holds on many."""

from __future__ import annotations

import asyncio
import json
import os
import signal

import pytest
from msgspec.json import decode

from batchscan.report import Report
from tests.support.answering import answering, match, said
from tests.support.clusters import checks_beyond, cluster_of
from tests.support.middlebox import Middlebox
from tests.support.peaks import MEASURED, MIB, peak_memory
from tests.support.photographs import encoded, photograph, resized
from tests.support.pictures import jpeg, png, tiff, tree, with_xmp, xmp
from tests.support.processes import Process, assert_nothing_lost_or_doubled, reports, until
from tests.support.servers import scripted

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
QUICK = ("--rate", "1000/s", "-j", "16")
# Stops fetching a long answer after its first block, until there is a file `go`.
FETCHING = """
import asyncio, sys
from pathlib import Path
from batchscan.cli import main
from batchscan.copyleaks.received_body import ReceivedBody

folder, store = Path({folder!r}), ReceivedBody.store

async def stored(self):
    await store(self)
    (folder / "fetching").touch()
    while not (folder / "go").exists():
        await asyncio.sleep(0.02)

ReceivedBody.store = stored
main(sys.argv[1:])
"""


async def test_a_scan_on_a_cluster_answers_every_picture_once(bench, tmp_path):
    bench.pictures(40)
    async with cluster_of(tmp_path / "dask", 2) as cluster:
        code, out, err = await Process(bench).run("--dask", cluster.address, *QUICK)

    assert (code, err) == (0, "")
    assert "Cluster: 2 workers on 1 host." in out
    assert_nothing_lost_or_doubled(bench, 40, replayed=False)
    assert reports(bench)[0]["cluster"] == {"workers": 2, "hosts": 1, "lost": []}
    token = json.loads((tmp_path / "state" / "token.json").read_bytes())["access_token"]
    logs = "".join(path.read_text() for path in (tmp_path / "dask").glob("*.log"))
    assert "Register worker" in logs
    assert token not in logs
    assert "key-of-the-account" not in logs


async def test_a_service_that_always_names_another_id_is_soon_left_alone(bench, tmp_path):
    bench.pictures(100)
    middlebox = Middlebox("always")
    async with scripted(middlebox) as url, cluster_of(tmp_path / "dask", 2) as cluster:
        process = Process(bench)
        process.environment |= {"COPYLEAKS_API_URL": url, "COPYLEAKS_IDENTITY_URL": url}
        code, out, err = await process.run("--dask", cluster.address, *QUICK)

    assert code == 8, out + err
    assert 1 < len(middlebox.asked) <= 16 + 1  # what was under way, and one alone
    [report] = reports(bench)
    assert report["files"]["scanned"] == 0
    assert report["credits"]["outcome_unknown"] == len(middlebox.asked)


@pytest.mark.parametrize("kind", ["shifted", "doubled", "late"])
async def test_workers_reject_the_answer_to_another_request(bench, tmp_path, kind):
    bench.pictures(40)
    middlebox = Middlebox(kind)
    async with scripted(middlebox) as url, cluster_of(tmp_path / "dask", 2) as cluster:
        process = Process(bench)
        process.environment |= {"COPYLEAKS_API_URL": url, "COPYLEAKS_IDENTITY_URL": url}
        code, out, err = await process.run("--dask", cluster.address, *QUICK)

    assert code == 0, out + err
    [report] = reports(bench)
    assert report["files"]["scanned"] == 40
    assert len(middlebox.asked) - 40 == report["credits"]["outcome_unknown"]
    assert len(middlebox.asked) <= (40 if kind == "doubled" else 56)


@pytest.mark.parametrize("duplicate", ["replay", "rescan"])
async def test_what_a_killed_worker_was_sending_is_asked_again(bench_with, tmp_path, duplicate):
    async with (
        bench_with(latency=1.0, duplicate=duplicate) as bench,
        cluster_of(tmp_path / "dask", 2) as cluster,
    ):
        bench.pictures(120)
        scan = asyncio.create_task(Process(bench).run("--dask", cluster.address, *QUICK))
        await checks_beyond(bench, 60)
        await asyncio.sleep(0.5)  # in the middle of the next round
        await cluster.end(0, signal.SIGKILL)
        code, out, _ = await scan

        assert code == 0, out
        assert_nothing_lost_or_doubled(bench, 120, replayed=duplicate == "replay")
        report = reports(bench)[0]
        assert report["cluster"]["workers"] == 2
        assert len(report["cluster"]["lost"]) == 1
        assert "1 worker was lost: tcp://127.0.0.1:" in out
        assert 0 < report["credits"]["outcome_unknown"] <= 16


async def test_workers_that_come_are_used_and_those_that_leave_finish(bench_with, tmp_path):
    async with bench_with(latency=0.4) as bench, cluster_of(tmp_path / "dask", 1) as cluster:
        bench.pictures(400)
        scan = asyncio.create_task(Process(bench).run("--dask", cluster.address, *QUICK))
        await checks_beyond(bench, 10)
        second = await cluster.start_worker()
        third = await cluster.start_worker(nanny=True)
        await checks_beyond(bench, len(bench.checks()) + 60)
        await cluster.end(third)
        code, out, _ = await scan

        assert code == 0, out
        assert cluster.workers[second].returncode is None
        assert len(bench.checks()) == bench.charged() == 400
        cluster_report = reports(bench)[0]["cluster"]
        # A worker that its nanny had to end on a busy machine is a lost one, and no other is.
        assert len(cluster_report.pop("lost")) <= 1
        assert cluster_report == {"workers": 3, "hosts": 1}


async def test_a_worker_is_retired_though_dask_would_not_for_its_actor(bench_with, tmp_path):
    async with bench_with(latency=0.4) as bench, cluster_of(tmp_path / "dask", 2) as cluster:
        bench.pictures(150)
        scan = asyncio.create_task(Process(bench).run("--dask", cluster.address, *QUICK))
        await checks_beyond(bench, 30)
        await cluster.retire_one()
        await until(lambda: any(each.returncode is not None for each in cluster.workers))
        code, out, _ = await scan

        assert code == 0, out
        assert len(bench.checks()) == bench.charged() == 150
        assert reports(bench)[0]["cluster"] == {"workers": 2, "hosts": 1, "lost": []}


async def test_a_killed_driver_goes_on_where_it_stopped(bench_with, tmp_path):
    async with bench_with(latency=0.4) as bench, cluster_of(tmp_path / "dask", 2) as cluster:
        bench.pictures(80)
        first = await Process(bench).start("--dask", cluster.address, *QUICK)
        await checks_beyond(bench, 30)
        first.kill()
        await first.communicate()
        code, out, _ = await Process(bench).run("--dask", cluster.address, *QUICK)

        assert code == 0, out
        assert_nothing_lost_or_doubled(bench, 80, replayed=True)
        assert len({entry.scan_id for entry in bench.checks()}) == 80


async def test_a_scheduler_that_comes_back_is_found_again(bench_with, tmp_path):
    async with bench_with(latency=0.4) as bench, cluster_of(tmp_path / "dask", 2) as cluster:
        bench.pictures(120)
        scan = asyncio.create_task(Process(bench).run("--dask", cluster.address, *QUICK))
        await checks_beyond(bench, 30)
        await cluster.end_scheduler()
        await cluster.workers_end()
        await cluster.start_scheduler()
        await cluster.start_worker()
        code, out, _ = await scan

        assert code == 0, out
        assert_nothing_lost_or_doubled(bench, 120, replayed=True)


async def test_a_scheduler_that_stays_away_ends_the_run(bench_with, tmp_path):
    async with bench_with(latency=0.4) as bench, cluster_of(tmp_path / "dask", 2) as cluster:
        bench.pictures(120)
        words = ("--dask", cluster.address, *QUICK, "--retry-for", "3s")
        scan = asyncio.create_task(Process(bench).run(*words))
        await checks_beyond(bench, 30)
        await cluster.end_scheduler()
        code, out, err = await scan

        assert code == 8, out
        assert "has had no workers for 3 s" in err
        report = reports(bench)[0]
        assert report["reasons"].get("unavailable", 0) > 0
        settled = report["files"]["scanned"] + report["credits"]["outcome_unknown"]
        assert report["files"]["scanned"] <= bench.charged() <= settled


async def test_one_word_starts_a_cluster_on_this_machine(bench):
    bench.pictures(20)
    code, out, err = await Process(bench).run("--dask", "local", *QUICK)

    assert (code, err) == (0, "")
    assert bench.charged() == 20
    assert "Cluster:" in out


async def test_an_interrupt_lets_the_workers_of_a_local_cluster_finish(bench_with):
    async with bench_with(latency=1.0) as bench:
        bench.pictures(100)
        process = Process(bench)
        scan = await process.start("--dask", "local", *QUICK, alone=True)
        await checks_beyond(bench, 20)
        await asyncio.sleep(0.5)
        os.killpg(scan.pid, signal.SIGINT)  # as a terminal does: to all of them
        out, err = await scan.communicate()

        assert (scan.returncode, b"Traceback" in err) == (130, False)
        report = reports(bench)[0]
        assert report["files"]["scanned"] == bench.charged() == len(bench.checks())
        assert report["credits"]["outcome_unknown"] == 0
        assert report["cluster"]["lost"] == []
        assert b"Ended early: stopped by SIGINT" in out


async def test_workers_make_what_is_sent_of_pictures(bench, tmp_path):
    noted = with_xmp(jpeg(seed=3), xmp("<dc:rights>Secret Street 7</dc:rights>"))
    files = {"a.tif": tiff(), "b.jpg": noted, "c.jpg": noted + b"Other Road", "d.png": png()}
    tree(bench.images, files)
    async with cluster_of(tmp_path / "dask", 2) as cluster:
        code, _, err = await Process(bench).run("--dask", cluster.address, *QUICK)

    assert (code, err) == (0, "")
    ran = bench.ran(
        decode((bench.folder / "output" / "latest" / "report.json").read_bytes(), type=Report)
    )
    assert ran.lines["a.tif"].sent.recipe == "r1"
    assert {ran.lines["b.jpg"].status, ran.lines["c.jpg"].status} == {"scanned", "reused"}
    assert ran.lines["b.jpg"].sent == ran.lines["c.jpg"].sent
    assert ran.report.files.converted == 1
    sent = {entry.sha256 for entry in bench.checks()}
    assert {ran.lines["a.tif"].sent.sha256, ran.lines["b.jpg"].sent.sha256} < sent
    assert len(sent) == 3


async def test_versions_of_a_picture_are_found_and_covered_on_a_cluster(bench, tmp_path):
    for seed in range(3):
        original = photograph(seed, (800, 600))
        tree(bench.images, {f"{seed}.jpg": encoded(original)})
        for width in (640, 400):
            tree(bench.images, {f"{seed}-{width}.jpg": encoded(resized(original, width))})
    tree(bench.images, {"master.tif": encoded(photograph(0, (800, 600)), "TIFF")})
    async with cluster_of(tmp_path / "dask", 2) as cluster:
        how = ("--dask", cluster.address, "--renditions", "cover", *QUICK)
        code, out, err = await Process(bench).run(*how)

    assert (code, err) == (0, "")
    assert "3 scanned, 7 covered." in out
    assert len(bench.checks()) == 3


async def test_long_answers_of_workers_are_in_memory_one_at_a_time(tmp_path):
    async def most(name: str, padding: int) -> float:
        def said_so(_: str, scan_id: str) -> bytes:
            return said(scan_id, match(0), padding="a" * padding)

        folder = tmp_path / name
        folder.mkdir()
        (folder / "measured.py").write_text(MEASURED.format(path=str(folder / "most")))
        program = (str(folder / "measured.py"),)
        async with answering(folder, said_so) as service, cluster_of(folder / "dask", 2) as cluster:
            tree(service.images, {f"{n}.png": png(16, 16, n) for n in range(8)})
            code, _, err = await service.run("--dask", cluster.address, *QUICK, program=program)
            assert code == 0, err
            assert len(service.asked) == len(service.last_lines()) == 8
            assert all(len(line.matches) == 1 for line in service.last_lines().values())
        return peak_memory(folder)

    assert await most("long", 30 * MIB) - await most("short", 0) < 200


@pytest.mark.parametrize("lost", ["worker", "driver"])
async def test_a_long_answer_that_was_not_fetched_is_asked_again_by_its_id(tmp_path, lost):
    def said_so(_: str, scan_id: str) -> bytes:
        return said(scan_id, match(0), padding="a" * 8 * MIB)

    (tmp_path / "fetching.py").write_text(FETCHING.format(folder=str(tmp_path)))
    program = (str(tmp_path / "fetching.py"),)
    async with answering(tmp_path, said_so) as service, cluster_of(tmp_path / "dask", 1) as cluster:
        tree(service.images, {"long.png": png(16, 16, 1)})
        how = ("--dask", cluster.address, *QUICK)
        scan = await Process(service).start(*how, program=program)
        await until((tmp_path / "fetching").exists)
        if lost == "worker":
            await cluster.start_worker()
            await cluster.end(0, signal.SIGKILL)
            (tmp_path / "go").touch()
            _, complaints = await scan.communicate()
            assert scan.returncode == 0, complaints
        else:
            scan.kill()
            await scan.communicate()
            code, _, err = await service.run(*how)
            assert code == 0, err
        [line] = service.last_lines().values()
        assert (line.status, len(line.matches)) == ("scanned", 1)
        assert len(service.asked) == 2
        assert len(set(service.asked)) == 1
        assert sum(report["credits"]["outcome_unknown"] for report in reports(service)) == 1
