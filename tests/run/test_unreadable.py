"""Files that the process may not read, with and without a picture's name."""

from __future__ import annotations

from batchscan.results import ResultLine
from tests.support.limits import NO_OVERRIDE
from tests.support.pictures import png, tree
from tests.support.processes import Process
from tests.support.result_lines import read_lines


def lines(bench) -> dict[str, ResultLine]:
    latest = bench.folder / "output" / "latest" / "results.jsonl"
    return {bench.name_of(line.path): line for line in read_lines(str(latest))}


async def test_what_may_be_a_picture_and_cannot_be_read_has_failed_and_is_tried_again(bench):
    names = ["a.png", "IMG_0001", "IMG.jpg?w=2", "x.pjpeg"]
    hidden = {name: png(16, 16, number) for number, name in enumerate(names)}
    tree(
        bench.images, {**hidden, "b.png": png(16, 16, 9), "notes.txt": b"hello", "README": b"hello"}
    )
    for name in (*hidden, "notes.txt"):
        (bench.images / name).chmod(0)
    code, _, err = await Process(bench).run("--progress", "none", program=NO_OVERRIDE)

    assert code == 3, err
    assert {name: (line.status, line.reason) for name, line in lines(bench).items()} == {
        **dict.fromkeys(hidden, ("failed", "unreadable")),
        "b.png": ("scanned", None),
    }
    assert bench.charged() == 1
    for name in hidden:
        assert "Permission denied" in (lines(bench)[name].detail or "")
        (bench.images / name).chmod(0o600)
    code, _, err = await Process(bench).run("--progress", "none", program=NO_OVERRIDE)

    assert code == 0, err
    assert {line.status for line in lines(bench).values()} == {"scanned"}
    assert bench.charged() == 1 + len(hidden)
