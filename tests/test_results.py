import json

import msgspec
import pytest
from hypothesis import given

from batchscan.enums import DeferReason, FailReason, RejectReason
from batchscan.model import Deferred, Failed, Rejected, Reused, Scanned, ServiceError
from batchscan.results import ResultLine, encode, line_of
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


def test_a_line_gets_back_the_matches_that_were_kept_apart():
    line = line_of(Scanned(SUBJECT, EFFORT, ANSWER), "run", sandbox=False)

    assert with_answer(msgspec.structs.replace(line, matches=[]), ANSWER) == line


@given(outcomes)
def test_a_result_is_one_line_that_reads_as_it_was_written(outcome):
    line = line_of(outcome, "run", sandbox=False)
    data = encode(line)

    assert data.count(b"\n") == 1
    assert data.endswith(b"\n")
    assert msgspec.json.decode(data, type=ResultLine) == line
