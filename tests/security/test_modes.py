"""Who may read what a run leaves, and which key files are taken."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from batchscan.copyleaks.requests import Request
from batchscan.emulator import Fault
from batchscan.emulator.fault_actions import Hang
from batchscan.model import Claim
from batchscan.runs.rescued_answers import rescue
from batchscan.state.lock import make_private_folder
from tests.support.commands import KEY, command, run
from tests.support.processes import until
from tests.support.servers import head_of, scripted, transport


def modes(folder: Path) -> dict[str, int]:
    """Of everything below a folder and of the folder; links have none of their own."""
    found = [folder, *folder.rglob("*")]
    return {
        str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode)
        for path in found
        if not path.is_symlink()
    }


@pytest.mark.slow
@pytest.mark.parametrize("umask", [0o000, 0o277])
async def test_everything_a_run_leaves_is_its_owners_alone_whatever_the_umask(bench, umask):
    bench.pictures(2)
    log = bench.folder / "scan.log"
    for words in (("--log-file", str(log), str(bench.images)), ("report", "--write")):
        code, err = await run(bench, *words, umask=umask)
        assert code == 0, err
        for folder in (bench.folder / "state", bench.folder / "output"):
            left = modes(folder)
            folders = {name for name in left if (folder / name).is_dir()}
            assert {left[name] for name in folders} == {0o700}
            assert {name for name in left.keys() - folders if left[name] != 0o600} == set()

    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    names = {path.name for path in (bench.folder / "state").iterdir()}
    assert {"ledger.sqlite3", "token.json"} <= names
    results = list((bench.folder / "output" / "runs").glob("*/*"))
    assert {"results.jsonl", "report.json"} <= {path.name for path in results}


@pytest.mark.slow
async def test_the_journal_beside_the_ledger_is_private_too_while_a_run_goes_on(bench_with):
    async with bench_with(faults=(Fault(route="check", action=Hang()),)) as bench:
        bench.pictures(1)
        line, environment = command(bench, "-q", str(bench.images))
        process = await asyncio.create_subprocess_exec(*line, env=environment, umask=0)
        await until(lambda: bench.emulator.journal.of("login"))
        left = modes(bench.folder / "state")
        process.kill()
        await process.communicate()

        assert {"ledger.sqlite3-wal", "ledger.sqlite3-shm", "lock"} <= left.keys()
        assert {mode for name, mode in left.items() if name != "."} == {0o600}


def test_folders_made_on_the_way_to_the_state_folder_let_nobody_else_in(tmp_path):
    before = os.umask(0)
    try:
        make_private_folder(tmp_path / "a" / "b" / "state")
    finally:
        os.umask(before)

    assert set(modes(tmp_path / "a").values()) == {0o700}


def test_a_state_folder_that_was_there_keeps_its_mode(tmp_path):
    tmp_path.chmod(0o750)
    make_private_folder(tmp_path)

    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lock", "lock.json", "checking", "crash.log", "token.json"])
async def test_a_link_in_the_state_folder_takes_no_write_elsewhere(bench, name):
    """As somebody would lay it who may write there, and hopes for a user who may do more."""
    bench.pictures(1)
    precious = bench.folder / "precious"
    precious.write_text("precious")
    state = bench.folder / "state"
    state.mkdir(mode=0o700)
    (state / name).symlink_to(precious)
    code, err = await run(bench, str(bench.images))

    assert code in (0, 9), err
    assert "Traceback" not in err
    assert precious.read_text() == "precious"


def test_a_rescued_answer_is_private(tmp_path):
    before = os.umask(0)
    try:
        where = rescue(str(tmp_path), Claim(1, "bs-1", 1), b"{}", 1.0)
    finally:
        os.umask(before)

    assert stat.S_IMODE(Path(where).stat().st_mode) == 0o600


@pytest.mark.slow
@pytest.mark.parametrize("mode", [0o640, 0o604])
async def test_a_key_file_that_others_may_use_ends_the_command_before_anything_is_sent(bench, mode):
    bench.pictures(1)
    key = bench.folder / "key"
    key.write_text(KEY)
    key.chmod(mode)
    by_file = {"COPYLEAKS_API_KEY": "", "COPYLEAKS_API_KEY_FILE": str(key)}
    code, err = await run(bench, str(bench.images), given=by_file)

    assert code == 2
    assert f"chmod 600 {key}" in err
    assert KEY not in err
    assert len(bench.emulator.journal) == 0

    key.chmod(0o400)
    code, err = await run(bench, "-q", str(bench.images), given=by_file)
    assert (code, err) == (0, "")


async def test_a_link_does_not_make_a_key_file_private(bench):
    bench.pictures(1)
    key = bench.folder / "key"
    key.write_text(KEY)
    key.chmod(0o644)
    (bench.folder / "link").symlink_to(key)
    by_file = {"COPYLEAKS_API_KEY": "", "COPYLEAKS_API_KEY_FILE": str(bench.folder / "link")}

    assert (await run(bench, str(bench.images), given=by_file))[0] == 2


async def test_the_environments_login_file_is_not_read(tmp_path, monkeypatch):
    """`~/.netrc` holds logins of other services; aiohttp would send them where it is told to."""
    (tmp_path / ".netrc").write_text("default login me password s3cr3t\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    heads: list[bytes] = []

    async def answer(reader, writer):
        heads.append(await head_of(reader))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with scripted(answer) as url, transport() as sender:
        await sender.send(Request("GET", f"{url}/"))

    assert b"authorization" not in heads[0].lower()
