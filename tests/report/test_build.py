import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.enums import FailReason
from batchscan.errors import BatchscanError
from batchscan.model import Failed
from batchscan.report import build, encode
from batchscan.tally import Tally
from tests.support.outcomes import NO_EFFORT, SUBJECT, outcomes
from tests.support.report_facts import DIGEST, NOTHING, RUN, books, report

MATCHES = [
    "images_with_matches",
    "total",
    "full",
    "partial",
    "new",
    "returned",
    "gone",
    "allowed",
    "worklist",
]


def test_a_report_has_the_contracts_names():
    tally = books(scanned=600, rejected={"too_large": 2}, deferred={"credits": 3})
    tally.charged = 600
    written = json.loads(encode(report(tally, DIGEST, exit_code=6, partial=True, balance=0)))

    assert {name: list(part) for name, part in written.items() if isinstance(part, dict)} == {
        "run": [
            "id",
            "roots",
            "version",
            "started_at",
            "finished_at",
            "duration_s",
            "exit_code",
            "exit_reason",
            "partial",
            "dry_run",
            "at_least_s",
            "round_days",
            "plan",
            "renditions",
            "sandbox",
            "force",
            "message",
            "advice",
            "same_as",
        ],
        "files": [
            "seen",
            "checked",
            "unchecked",
            "unchanged",
            "scanned",
            "reused",
            "covered",
            "rejected",
            "failed",
            "deferred",
            "unchanged_rejected",
            "ignored",
            "excluded",
            "unreadable_folders",
            "empty_roots",
            "bytes",
            "unreadable_folder_names",
            "renditions",
            "renditions_credits",
            "converted",
            "converted_formats",
        ],
        "reasons": ["credits", "too_large"],
        "unchecked": ["credits", "too_large"],
        "credits": ["charged", "expected", "saved_by_reuse", "outcome_unknown", "balance", "money"],
        "matches": MATCHES,
        "run_matches": MATCHES,
        "api": ["requests", "retries", "rate_limited", "logins", "latency_ms", "bytes_sent"],
    }
    assert list(written) == (
        [
            "schema",
            "run",
            "files",
            "reasons",
            "unchecked",
            "unchecked_files",
            "unchecked_table",
            "credits",
            "matches",
            "run_matches",
            "domains",
            "images",
            "allow_rules",
            "rechecks",
            "alerts",
            "cluster",
            "api",
        ]
    )
    assert written["files"]["seen"] == 605
    assert written["run"]["duration_s"] == 3.25
    assert written["api"]["latency_ms"] == {"p50": 1.0, "p95": 2.0, "max": 3.0}
    assert written["images"] == [
        {
            "path": "/pics/\ufffd.jpg",
            "path_b64": "L3BpY3Mv6S5qcGc=",
            "sha256": "0" * 64,
            "total": 15,
            "full": 12,
            "partial": 3,
            "new": 0,
            "allowed": 0,
            "worklist": 0,
            "scanned_at": "2026-11-23T18:02:37.000Z",
        }
    ]


@given(st.lists(outcomes, max_size=5))
def test_the_reports_books_close_and_can_be_written(events):
    tally = Tally()
    for event in events:
        tally.record(event)
    written = json.loads(encode(report(tally)))
    files = written["files"]

    assert files["seen"] == len(events)
    assert files["seen"] == sum(
        files[status]
        for status in ("unchanged", "scanned", "reused", "rejected", "failed", "deferred")
    )
    assert sum(written["reasons"].values()) == (
        files["rejected"] + files["failed"] + files["deferred"]
    )


def test_counts_that_do_not_add_up_are_a_bug():
    tally = Tally()
    tally.record(Failed(SUBJECT, NO_EFFORT, FailReason.NETWORK, ""))
    tally.reasons.clear()
    with pytest.raises(BatchscanError, match="the books do not close") as caught:
        build(RUN, tally, NOTHING)

    assert caught.value.exit_code == 1


def test_text_that_no_file_can_hold_is_replaced():
    tally = books(scanned=1)
    tally.empty_roots = ["/\udce9"]
    made = report(tally, roots=["/\udce9"], message="\ud800", advice="\ud800")

    assert encode(made)
    assert (made.run.roots, made.files.empty_roots) == (["/\ufffd"], ["/\ufffd"])
    assert made.run.message == "\ufffd"
