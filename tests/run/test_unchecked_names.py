"""Which pictures have no answer is said by name, in every run and every format that names any."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

from batchscan.allow.active import ActiveAllowRules
from batchscan.report import Report
from batchscan.runs.reports import (
    find_run,
    regenerate_report,
    render,
    report_for_all,
    view_from_last,
    view_of_run,
)
from batchscan.runs.unchecked import MAX_NAMED, write_missing_table
from batchscan.state.access import read_ledger
from tests.support.limits import NO_OVERRIDE
from tests.support.pictures import jpeg, png, tree
from tests.support.processes import Process

REJECTED = {
    "deep/empty.png": "empty",
    "empty.png": "empty",
    "cut.jpg": "corrupt",
    "text.jpg": "not_an_image",
    "<b>=1+1.svg": "unsupported_format",
}


def fill(images: Path) -> None:
    tree(
        images,
        {
            "a.png": png(16, 16, 1),
            "deep/empty.png": b"",
            "empty.png": b"",
            "cut.jpg": jpeg(64, 64, 3)[:700],
            "<b>=1+1.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "text.jpg": b"no picture at all",
        },
    )


def rows_of(folder: Path) -> list[dict[str, str]]:
    text = (folder / "unchecked.csv").read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def named(report: Report) -> dict[str, str]:
    return {file.path: file.reason for file in report.unchecked_files}


def again(bench) -> tuple[Report, str, Report]:
    """The last run's report again, its Markdown, and the one about everything."""
    settings = bench.settings()
    allowing = ActiveAllowRules.of(settings, 0.0)
    with read_ledger(settings) as ledger:
        run = find_run(ledger, None)
        view = view_of_run(ledger, run, allowing)
        report = regenerate_report(view, run, allowing)
        markdown = b"".join(render("markdown", report, view, 0.0)).decode()
        everything = view_from_last(ledger, allowing)
        return report, markdown, report_for_all(ledger, everything, allowing)


async def test_rejected_files_are_named_in_the_run_that_rejects_them_and_in_those_after(bench):
    fill(bench.images)
    expected = {str(bench.images / name): reason for name, reason in REJECTED.items()}
    latest = bench.folder / "output" / "latest"
    for status in ("rejected", "unchanged", "unchanged"):  # the last one by the block cache
        await bench.scan()
        report = json.loads((latest / "report.json").read_bytes())
        rows = rows_of(latest)
        page = (latest / "report.html").read_text()
        repeated, markdown, everything = again(bench)

        assert {file["path"]: file["reason"] for file in report["unchecked_files"]} == expected
        assert named(repeated) == named(everything) == expected
        assert {file["status"] for file in report["unchecked_files"]} == {status}
        assert all(file["detail"] for file in report["unchecked_files"])
        assert report["unchecked_table"] == "unchecked.csv"
        assert everything.unchecked_table is None
        assert {row["path"]: row["reason"] for row in rows} == expected
        assert {row["status"] for row in rows} == {status}
        for path in expected:
            assert path in markdown
            assert path.replace("<", "&lt;").replace(">", "&gt;") in page


async def test_a_report_names_some_of_each_reason_and_the_table_all(bench):
    many = MAX_NAMED + 7
    tree(bench.images, {f"e{number:04}.png": b"" for number in range(many)})
    tree(bench.images, {"z.jpg": b"no picture", "good.png": png(16, 16)})
    latest = bench.folder / "output" / "latest"
    for _ in range(2):
        ran = await bench.scan()
        reasons = [file.reason for file in ran.report.unchecked_files]

        assert (reasons.count("empty"), reasons.count("not_an_image")) == (MAX_NAMED, 1)
        assert len(rows_of(latest)) == many + 1
        assert "7 more: unchecked.csv" in (latest / "report.html").read_text()


async def test_a_table_that_would_be_the_same_is_the_same_file(bench):
    fill(bench.images)
    inodes = []
    for _ in range(3):
        report = (await bench.scan()).report
        folder = bench.folder / "output" / "runs" / report.run.id
        inodes.append(os.stat(folder / "unchecked.csv").st_ino)
    (bench.images / "text.jpg").write_bytes(b"another text")
    report = (await bench.scan()).report
    folder = bench.folder / "output" / "runs" / report.run.id

    assert inodes[1] == inodes[2]
    assert os.stat(folder / "unchecked.csv").st_ino != inodes[2]
    assert {row["status"] for row in rows_of(folder)} == {"unchanged", "rejected"}


async def test_what_a_dry_run_would_send_is_named_and_a_lost_table_is_made_again(bench):
    fill(bench.images)
    planned = (await bench.scan(dry_run=True)).report
    folder = bench.folder / "output" / "runs" / planned.run.id
    assert {row["reason"] for row in rows_of(folder)} == {*REJECTED.values(), "dry_run"}

    await bench.scan()
    report = (await bench.scan()).report
    folder = bench.folder / "output" / "runs" / report.run.id
    before = sorted(row["path"] for row in rows_of(folder))
    os.unlink(folder / "unchecked.csv")
    with read_ledger(bench.settings()) as ledger:
        write_missing_table(str(folder), report, ledger)

    assert sorted(row["path"] for row in rows_of(folder)) == before


async def test_folders_that_cannot_be_read_are_in_the_table_and_in_the_one_line_of_a_quiet_run(
    bench,
):
    bench.pictures(1)
    (bench.images / "closed").mkdir(mode=0)
    code, _, err = await Process(bench).run("-q", program=NO_OVERRIDE)
    [row] = rows_of(bench.folder / "output" / "latest")

    assert code == 3
    assert f"1 folder could not be read: {bench.images / 'closed'}" in err
    assert row["path"] == str(bench.images / "closed")
    assert (row["reason"], row["detail"]) == ("unreadable_folder", "Permission denied")


async def test_where_all_pictures_are_checked_there_is_no_table(bench):
    bench.pictures(2)
    report = (await bench.scan()).report

    assert (report.unchecked_files, report.unchecked_table) == ([], None)
    assert not (bench.folder / "output" / "latest" / "unchecked.csv").exists()
