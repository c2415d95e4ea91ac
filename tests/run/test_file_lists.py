"""Lists of files as people make them, with lines that are no file's name."""

from __future__ import annotations

import asyncio
import os

from tests.support.pictures import png, tree
from tests.support.processes import Process, all_lines, reports


async def test_a_line_that_is_no_files_name_costs_that_line_only(bench):
    tree(bench.folder, {"listed/a.png": png(8, 8), "listed/b.png": png(9, 9)})
    bench.images.mkdir(exist_ok=True)
    odd = [b"nul\0in it.png", b"\xff\xfe not UTF-8.png", b"x" * 5000]
    names = [
        os.fsencode(bench.folder / "listed/a.png"),
        *odd,
        os.fsencode(bench.folder / "listed/b.png"),
    ]
    (bench.folder / "list").write_bytes(b"\n".join(names))
    code, _, err = await Process(bench).run("--files-from", str(bench.folder / "list"))

    assert code == 3
    assert "bug" not in err
    assert bench.charged() == 2
    found = sorted((line.status, line.reason or "") for line in all_lines(bench))
    assert found == [("failed", "unreadable"), ("failed", "unreadable"), ("failed", "vanished"),
                     ("scanned", ""), ("scanned", "")]  # fmt: skip


async def test_what_is_no_list_is_a_usage_error_in_exit_code_and_report(bench):
    bench.images.mkdir(exist_ok=True)
    wide = "a.png\n".encode("utf-16")
    (bench.folder / "list").write_bytes(wide)
    code, _, err = await Process(bench).run("--files-from", str(bench.folder / "list"))

    assert code == 2
    assert "UTF-16" in err
    assert not (bench.folder / "output").exists()

    os.mkfifo(bench.folder / "pipe")
    run = asyncio.create_task(Process(bench).run("--files-from", str(bench.folder / "pipe")))
    await asyncio.to_thread((bench.folder / "pipe").write_bytes, wide)
    code, _, err = await run
    told = reports(bench)[-1]["run"]

    assert code == told["exit_code"] == 2
    assert told["exit_reason"] == "usage"
    assert told["message"] in err


async def test_a_listed_file_that_is_not_there_is_not_said_to_have_been_removed(bench):
    bench.images.mkdir(exist_ok=True)
    (bench.folder / "list").write_bytes(b"never/there.png\n")
    code, _, _ = await Process(bench).run("--files-from", str(bench.folder / "list"))
    (line,) = all_lines(bench)

    assert code == 3
    assert (line.reason, line.detail) == ("vanished", "there is no such file")
