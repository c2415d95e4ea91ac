"""`output.keep_runs`: which runs go at the end of a scan, and which never do."""

from __future__ import annotations

import base64
import logging
import os
from contextlib import closing
from dataclasses import replace
from datetime import date

import msgspec
import pytest

from batchscan.allow import AllowRules
from batchscan.allow.active import ActiveAllowRules
from batchscan.errors import UsageError
from batchscan.ledger import Ledger, Realm
from batchscan.runs import rescued_answers, retention
from batchscan.runs.reports import find_run, regenerate_report, view_of_run
from batchscan.runs.retention import expired_runs, remove_runs
from tests.support.bench import Bench
from tests.support.clocks import SkippingClock

KEEP_TWO = {"keep_runs": 2}


def runs(bench: Bench) -> list[str]:
    return sorted(os.listdir(bench.folder / "output" / "runs"))


def opened(bench: Bench) -> Ledger:
    return Ledger.open(bench.folder / "state", Realm(bench.emulator.url, sandbox=False))


def known(bench: Bench) -> list[str]:
    ledger = opened(bench)
    found = sorted(run_id for run_id, _ in ledger.runs.all_closed())
    ledger.close()
    return found


@pytest.fixture
async def three(bench):
    """Three runs, each with an answer; none gone yet."""
    for number in range(3):
        bench.pictures(1, start=number)
        await bench.scan()
    return bench


async def test_without_the_setting_only_old_runs_go_that_decided_nothing(three, monkeypatch):
    monkeypatch.setattr(retention, "KEPT_IDLE", 1)
    decided = runs(three)
    idle = [(await three.scan()).report for _ in range(3)]
    ids = [report.run.id for report in idle]

    assert runs(three) == [*decided, ids[2]]
    assert known(three) == [*decided, *ids]
    ledger = opened(three)
    with ledger.transaction():
        allow_rules = ActiveAllowRules(AllowRules(), date(2026, 11, 23))
        run = find_run(ledger, ids[0])
        again = regenerate_report(view_of_run(ledger, run, allow_rules), run, allow_rules)
    ledger.close()
    assert again.files == idle[0].files
    assert again.matches == idle[0].matches


async def test_as_long_as_there_are_few_every_run_stays(three):
    ran = await three.scan()

    assert runs(three)[-1] == ran.report.run.id
    assert len(runs(three)) == len(known(three)) == 4


async def test_the_newest_stay_and_the_ledger_still_knows_every_answer(three):
    before = runs(three)
    ran = await three.scan(output=KEEP_TWO)

    assert runs(three) == known(three) == [before[2], ran.report.run.id]
    assert os.readlink(three.folder / "output" / "latest") == f"runs/{ran.report.run.id}"
    ledger = opened(three)
    assert len([file for file in ledger.reporting.files() if file.answer]) == 3
    with pytest.raises(UsageError, match=f"knows of no run '{before[0]}'"):
        find_run(ledger, before[0])
    ledger.close()
    assert (await three.scan(output=KEEP_TWO)).report.files.unchanged == 3
    assert len(three.checks()) == 3


class Standing(SkippingClock):
    """A clock on which all runs start in the same second."""

    def wall(self) -> float:
        return 1_800_000_000.5


async def test_the_id_of_a_run_that_went_is_no_other_runs(bench):
    ids = []
    for number in range(4):
        bench.pictures(1, start=number)
        ran = await bench.scan(Standing(), output={"keep_runs": 1})
        ids.append(ran.report.run.id)

    assert ids == ["20270115T080000Z", *(f"20270115T080000Z-{n}" for n in (2, 3, 4))]
    assert runs(bench) == known(bench) == ids[3:]


async def test_a_dry_run_removes_nothing(three):
    await three.scan(output={"keep_runs": 1}, dry_run=True)

    assert len(known(three)) == 3
    assert len(runs(three)) == 4


async def test_runs_of_another_output_folder_stay(three):
    other = {"directory": str(three.folder / "other"), "keep_runs": 1}
    settings = replace(three.settings().output, **other)
    (three.folder / "other").mkdir()
    (three.folder / "other" / "runs").mkdir()
    ledger = opened(three)
    assert expired_runs(ledger, settings) == []
    ledger.close()


def _foreign_file(folder, outside):
    (folder / "notes.txt").write_text("mine")


def _foreign_folder(folder, outside):
    (folder / "crops").mkdir()


def _link_of_our_name(folder, outside):
    (folder / "matches.csv").unlink()
    (folder / "matches.csv").symlink_to(outside / "precious")


def _link_in_its_place(folder, outside):
    folder.rename(outside / folder.name)
    folder.symlink_to(outside / folder.name)


def _file_in_its_place(folder, outside):
    folder.rename(outside / folder.name)
    folder.write_text("not a folder")


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [_foreign_file, _foreign_folder, _link_of_our_name, _link_in_its_place, _file_in_its_place],
)
async def test_a_run_folder_with_foreign_files_is_kept_and_named(three, caplog, tmp_path, make):
    first, _, third = runs(three)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("precious")
    make(three.folder / "output" / "runs" / first, outside)
    before = sorted(path for path in outside.rglob("*"))
    held = (
        sorted(os.listdir(three.folder / "output" / "runs" / first))
        if "place" not in make.__name__
        else []
    )
    with caplog.at_level(logging.WARNING):
        ran = await three.scan(output=KEEP_TWO)

    assert ran.exit_code == 0
    assert runs(three) == [first, third, ran.report.run.id]
    assert known(three) == [first, third, ran.report.run.id]
    assert f"an old run stays: {three.folder}/output/runs/{first}" in caplog.text
    assert sorted(path for path in outside.rglob("*")) == before
    if held:
        assert sorted(os.listdir(three.folder / "output" / "runs" / first)) == held


async def test_what_a_killed_process_left_half_written_goes_with_the_folder(three):
    first = runs(three)[0]
    (three.folder / "output" / "runs" / first / ".new-abc").write_bytes(b"half")
    await three.scan(output=KEEP_TWO)

    assert first not in runs(three)


async def test_a_folder_that_went_before_a_crash_leaves_the_ledger_later(three):
    settings = three.settings(output={"keep_runs": 1}).output
    ledger = opened(three)
    old = expired_runs(ledger, settings)
    ledger.close()
    done = remove_runs(settings.directory, old, rescued=set())
    assert len(done.removed) == 2
    assert len(known(three)) == 3  # and here it crashed

    await three.scan(output={"keep_runs": 1})
    assert len(known(three)) == len(runs(three)) == 1


async def test_a_disk_that_is_not_mounted_does_not_replace_the_last_report(bench):
    bench.pictures(2)
    good = (await bench.scan()).report.run.id
    for path in bench.images.iterdir():
        path.unlink()
    for _ in range(2):
        assert (await bench.scan()).exit_code == 3

        latest = bench.folder / "output" / "latest"
        assert os.readlink(latest) == f"runs/{good}"
        with closing(opened(bench)) as ledger:
            last = ledger.runs.last()
        assert last is not None
        assert last.run_id == good


async def test_the_run_that_latest_leads_to_stays(three):
    first, *_ = runs(three)
    link = three.folder / "output" / "latest"
    link.unlink()
    link.symlink_to(f"runs/{first}")
    ledger = opened(three)
    old = expired_runs(ledger, three.settings(output={"keep_runs": 1}).output)
    ledger.close()

    assert len(old) == 1
    assert first not in old


async def test_a_link_in_the_place_of_runs_is_not_followed_and_fails_no_run(three, caplog):
    output = three.folder / "output"
    (output / "runs").rename(output / "elsewhere")
    (output / "runs").symlink_to("elsewhere")
    with caplog.at_level(logging.WARNING):
        ran = await three.scan(output=KEEP_TWO)

    assert ran.exit_code == 0
    assert len(runs(three)) == 4
    assert "old runs stay" in caplog.text


@pytest.mark.parametrize("how", ["taken in", "elsewhere", "torn"])
async def test_rescued_answers_go_only_when_the_ledger_has_them(three, how):
    first = runs(three)[0]
    ledger = opened(three)
    answer = ledger.known.answer(1)
    assert answer is not None
    assert answer.run_id == first
    at = answer.received_at if how == "taken in" else answer.received_at + 1
    body = base64.b64encode(answer.body).decode()
    ledger.close()
    line = msgspec.json.encode(rescued_answers.RescuedAnswer(answer.scan_id, at, body))
    file = three.folder / "output" / "runs" / first / rescued_answers.FILE_NAME
    file.write_bytes(b"\n" + (line[:20] if how == "torn" else line) + b"\n")
    await three.scan(output=KEEP_TWO)

    assert (first in runs(three)) == (how != "taken in")
    assert file.exists() == (how != "taken in")
