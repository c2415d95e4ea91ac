import os
import resource
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from batchscan.enums import Disposition, FailReason, MatchKind, MatchState
from batchscan.errors import StorageError
from batchscan.model import Failed, Reused, Scanned, TrackedMatch
from batchscan.results import (
    MANY_MATCHES,
    LongLine,
    bare_line_of,
    encode,
    line_of,
    with_matches,
)
from batchscan.results_writer import ResultsWriter
from tests.support.outcomes import ANSWER, EFFORT, NO_EFFORT, SUBJECT
from tests.support.result_lines import read_lines

LINE = line_of(Scanned(SUBJECT, EFFORT, ANSWER), "run", sandbox=False)


async def open_after_a_line(path: Path) -> ResultsWriter:
    """A writer that has written one line."""
    writer = await ResultsWriter.create(str(path))
    await writer.write([LINE])
    return writer


async def test_a_file_that_was_removed_while_it_was_written_is_put_back(tmp_path):
    path = tmp_path / "results.jsonl"
    writer = await open_after_a_line(path)
    path.unlink()
    await writer.write([LINE])
    await writer.close()

    assert list(read_lines(str(path))) == [LINE, LINE]
    assert stat.S_IMODE(path.lstat().st_mode) == 0o600


async def test_a_file_that_another_run_made_in_its_place_stays(tmp_path):
    path = tmp_path / "results.jsonl"
    writer = await open_after_a_line(path)
    path.unlink()
    path.write_bytes(b"{}")
    await writer.close()

    assert path.read_bytes() == b"{}"


async def test_lines_come_back_from_a_private_file(tmp_path):
    path = str(tmp_path / "results.jsonl")
    lines = [
        line_of(outcome, "run", sandbox=True)
        for outcome in (
            Scanned(SUBJECT, EFFORT, ANSWER),
            Failed(SUBJECT, NO_EFFORT, FailReason.NETWORK, "\ud800"),
        )
    ]
    before = os.umask(0o277)
    try:
        writer = await ResultsWriter.create(path)
    finally:
        os.umask(before)
    await writer.write(lines)
    await writer.write(lines[:1])
    await writer.write([])
    await writer.close()

    assert list(read_lines(path)) == [*lines, lines[0]]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


async def test_a_file_that_is_there_already_is_not_touched(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text("old")
    with pytest.raises(StorageError, match="File exists") as caught:
        await ResultsWriter.create(str(path))

    assert caught.value.advice
    assert path.read_text() == "old"


async def test_a_full_disk_leaves_whole_lines_behind(tmp_path):
    path = str(tmp_path / "results.jsonl")
    line = line_of(Scanned(SUBJECT, EFFORT, ANSWER), "run", sandbox=False)
    writer = await ResultsWriter.create(path)
    await writer.write([line])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(encode(line)) + 100, hard))
    try:
        with pytest.raises(StorageError, match="File too large"):
            await writer.write([line])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    await writer.write([line])
    await writer.close()

    assert list(read_lines(path)) == [line, line]


async def test_a_line_with_very_many_matches_is_written_in_pieces_and_read_like_any_other(tmp_path):
    path = str(tmp_path / "results.jsonl")
    urls = [f'https://example.com/{n}"matches":[]é\u202e.jpg' for n in range(2 * MANY_MATCHES + 1)]
    known = TrackedMatch(
        "https://gone", MatchKind.FULL, (), "gone", MatchState.GONE, 1.0, 2.0, Disposition.OPEN
    )
    matches = tuple(msgspec.structs.replace(ANSWER.matches[0], url=url) for url in urls)
    outcome = Reused(SUBJECT, EFFORT, replace(ANSWER, matches=matches, gone=(known,)))
    whole = line_of(outcome, "run", sandbox=False)
    long = with_matches(bare_line_of(outcome, "run", sandbox=False), outcome.answer)
    short = line_of(Scanned(SUBJECT, EFFORT, ANSWER), "run", sandbox=False)

    assert isinstance(long, LongLine)
    assert b"".join(long.pieces()) == encode(whole)
    writer = await ResultsWriter.create(path)
    await writer.write([short, long, long, short])
    await writer.close()
    assert list(read_lines(path)) == [short, whole, whole, short]


async def test_a_line_that_breaks_off_between_its_pieces_leaves_nothing_behind(tmp_path):
    path = str(tmp_path / "results.jsonl")
    short = line_of(Scanned(SUBJECT, EFFORT, ANSWER), "run", sandbox=False)
    odd: Any = (*ANSWER.matches * 2 * MANY_MATCHES, None)  # nothing of which a line can be made
    long = LongLine(msgspec.structs.replace(short, matches=[]), replace(ANSWER, matches=odd))
    writer = await ResultsWriter.create(path)
    await writer.write([short])
    with pytest.raises(AttributeError):
        await writer.write([long])
    await writer.write([short])
    await writer.close()

    assert list(read_lines(path)) == [short, short]


async def test_a_closed_disk_is_a_storage_error(tmp_path):
    writer = await ResultsWriter.create(str(tmp_path / "results.jsonl"))
    os.close(writer._file.fileno())
    with pytest.raises(StorageError, match="Bad file descriptor"):
        await writer.close()
