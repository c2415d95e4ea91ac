import json
import os
import resource
import stat
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.enums import (
    DeferReason,
    Disposition,
    FailReason,
    MatchKind,
    MatchState,
    RejectReason,
)
from batchscan.errors import StorageError
from batchscan.model import (
    Deferred,
    Failed,
    Rejected,
    Reused,
    Scanned,
    ServiceError,
    TrackedMatch,
)
from batchscan.results import (
    MANY_MATCHES,
    LongLine,
    ResultsWriter,
    bare_line_of,
    encode,
    line_of,
    read_lines,
    with_matches,
)
from batchscan.runs.answer_lines import with_answer
from tests.support.outcomes import ANSWER, EFFORT, NO_EFFORT, SUBJECT, outcomes


def written(outcome):
    return json.loads(encode(line_of(outcome, "20261123T180237Z", sandbox=False)))


def test_a_line_is_the_contracts_object_field_by_field():
    line = written(Scanned(SUBJECT, EFFORT, ANSWER))

    assert list(line.items()) == [
        ("schema", 1),
        ("run_id", "20261123T180237Z"),
        ("path", "/pics/a.jpg"),
        ("path_b64", None),
        ("status", "scanned"),
        ("reason", None),
        ("detail", None),
        ("warnings", ["name does not fit", "odd field"]),
        ("bytes", 1234),
        ("sha256", "0" * 64),
        ("format", "jpeg"),
        ("width", 8),
        ("height", 6),
        ("scan_id", "a1b2c3"),
        ("generation", 1),
        ("credits", 1),
        ("attempts", 1),
        ("sandbox", False),
        ("started_at", "2026-11-23T18:02:37.000Z"),
        ("finished_at", "2026-11-23T18:02:38.500Z"),
        ("elapsed_ms", 1500),
        ("scanned_at", "2026-11-23T18:02:38.250Z"),
        ("error", None),
        ("score", {"total": 1, "full": 1, "partial": 0}),
        (
            "matches",
            [
                {
                    "url": "https://example.com/a.jpg",
                    "kind": "full",
                    "pages": ["https://example.com/"],
                    "domain": "example.com",
                    "state": None,
                    "first_seen": None,
                    "last_seen": None,
                    "disposition": None,
                    "recheck": None,
                }
            ],
        ),
        ("sent", None),
        ("covered_by", None),
    ]


@given(outcomes)
def test_every_line_has_every_field(outcome):
    assert list(written(outcome)) == list(written(Scanned(SUBJECT, EFFORT, ANSWER)))


def test_an_error_is_written_as_the_service_reported_it():
    error = ServiceError(
        500, "server_error", "17", None, "trace", "not written: may quote anything"
    )
    line = written(Failed(SUBJECT, EFFORT, FailReason.SERVER_ERROR, "500", error))

    assert line["error"] == {
        "http_status": 500,
        "type": "server_error",
        "code": "17",
        "id": None,
        "trace_id": "trace",
    }
    assert (line["reason"], line["score"], line["scanned_at"]) == ("server_error", None, None)


@pytest.mark.parametrize(
    ("outcome", "charged"),
    [
        (Scanned(SUBJECT, EFFORT, ANSWER), 1),
        (Reused(SUBJECT, EFFORT, ANSWER), 0),
        (Rejected(SUBJECT, NO_EFFORT, RejectReason.EMPTY, ""), 0),
        (Failed(SUBJECT, NO_EFFORT, FailReason.VANISHED, ""), 0),
        (Failed(SUBJECT, EFFORT, FailReason.NETWORK, ""), None),
        (Deferred(SUBJECT, NO_EFFORT, DeferReason.BUDGET, ""), 0),
    ],
)
def test_credits_are_unknown_only_where_something_was_sent_without_an_answer(outcome, charged):
    assert written(outcome)["credits"] == charged


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


@given(st.lists(outcomes, max_size=4), st.data())
def test_a_cut_at_any_byte_loses_only_the_line_it_cuts(tmp_path_factory, results, data):
    lines = [line_of(outcome, "run", sandbox=False) for outcome in results]
    whole = [encode(line) for line in lines]
    cut = data.draw(st.integers(0, sum(map(len, whole))))
    path = tmp_path_factory.getbasetemp() / "cut.jsonl"
    path.write_bytes(b"".join(whole)[:cut])
    survive = sum(sum(map(len, whole[: number + 1])) <= cut for number in range(len(whole)))

    assert list(read_lines(str(path))) == lines[:survive]


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_bytes(b"{}\n")
    with pytest.raises(StorageError, match="line 1: Object missing required field"):
        list(read_lines(str(path)))


def test_a_file_that_is_not_there_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match="No such file"):
        list(read_lines(str(tmp_path / "gone")))


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


def test_a_line_gets_back_the_matches_that_were_kept_apart():
    line = line_of(Scanned(SUBJECT, EFFORT, ANSWER), "run", sandbox=False)

    assert with_answer(msgspec.structs.replace(line, matches=[]), ANSWER) == line
