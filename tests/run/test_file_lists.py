"""Lists of files as people make them, with lines that are no file's name."""

from __future__ import annotations

import os

from tests.support.pictures import png, tree
from tests.support.processes import Process, all_lines


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
