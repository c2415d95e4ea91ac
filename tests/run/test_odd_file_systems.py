"""Shares that know no modes, links or syncing, and systems that allow few open files.

What such a file system answers is put in by strace, into the real process.
"""

from __future__ import annotations

import shutil

import pytest

from tests.support.limits import limited
from tests.support.processes import Process, reports

STRACE = shutil.which("strace")
REFUSED = {
    "modes": "fchmod,fchmodat,chmod:error=EPERM",
    "links": "symlink,symlinkat,link,linkat:error=EPERM",
    "syncing": "fsync,fdatasync:error=EINVAL",
}
SAID = {
    "modes": "has no file modes",
    "links": "has no links",
    "syncing": "cannot be synced",
}


def on_such_a_share(*lacks: str) -> tuple[str, ...]:
    """A program that runs batchscan where the file system answers so."""
    injected = [word for lack in lacks for word in ("-e", f"inject={REFUSED[lack]}")]
    start = f"import os; os.execv({STRACE!r}, ['strace', '-f', '-qq', '-o', '/dev/null', *{injected!r}, "
    return (
        "-c",
        f"{start}__import__('sys').executable, '-m', 'batchscan', *__import__('sys').argv[1:]])",
    )


@pytest.mark.slow
@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
@pytest.mark.parametrize(
    "lacks", [("modes",), ("links",), ("syncing",), ("modes", "links", "syncing")]
)
async def test_what_a_share_refuses_is_warned_of_once_and_the_scan_goes_on(bench, lacks):
    bench.pictures(3)
    code, _, err = await Process(bench).run(program=on_such_a_share(*lacks))

    assert code == 0, err
    assert bench.charged() == 3
    [report] = reports(bench)
    assert report["files"]["scanned"] == 3
    assert [err.count(SAID[lack]) for lack in lacks] == [1 for _ in lacks], err
    again, _, _ = await Process(bench).run(program=on_such_a_share(*lacks))
    assert (again, bench.charged()) == (0, 3)


@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ("ENOSPC", "free some space"),
        pytest.param("EACCES", "correct the permissions", marks=pytest.mark.slow),
    ],
)
async def test_advice_fits_the_error(bench, error, advice):
    bench.pictures(1)
    bench.folder.joinpath("output").mkdir()
    inject = f"inject=mkdir,mkdirat:error={error}:when=1+"
    start = f"import os; os.execv({STRACE!r}, ['strace', '-f', '-qq', '-o', '/dev/null', '-e', {inject!r}, "
    program = (
        "-c",
        f"{start}__import__('sys').executable, '-m', 'batchscan', *__import__('sys').argv[1:]])",
    )
    code, _, err = await Process(bench).run(program=program)

    assert code == 9
    assert advice in err
    assert ("free some space" in err) == (error == "ENOSPC")
    assert bench.charged() == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [44, 64, 100])
async def test_with_few_open_files_fewer_pictures_are_sent_at_once(bench_with, number):
    async with bench_with(latency=0.05) as bench:
        bench.pictures(80)
        code, _, err = await Process(bench).run(
            "--rate", "500/s", "--progress", "none", program=limited("files", number)
        )
        assert code == 0, err
        assert bench.charged() == 80
        assert (
            f"the system allows {number} open files: limited to {(number - 40) // 2} upload" in err
        )


@pytest.mark.parametrize("number", [24, 40])
async def test_with_too_few_open_files_nothing_is_begun(bench, number):
    bench.pictures(3)
    code, _, err = await Process(bench).run(program=limited("files", number))
    assert code == 2
    assert f"the system allows {number} open files" in err
    assert "ulimit -n 1024" in err
    assert (bench.charged(), bench.folder.joinpath("output").exists()) == (0, False)
