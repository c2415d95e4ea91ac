from __future__ import annotations

import json

import pytest

from batchscan.model import Claim
from batchscan.runs.rescued_answers import rescue, rescued
from tests.support.ledgers import answer


@pytest.fixture
def ledger_claim():
    return Claim(1, "bs-0123", 1)


def test_a_rescued_answer_is_found_again_and_a_torn_line_is_not(tmp_path, ledger_claim):
    where = rescue(str(tmp_path), ledger_claim, answer().body, answer().received_at)
    with open(where, "ab") as file:
        file.write(b'{"scan_id": "bs-torn", "rece')

    found = rescued(str(tmp_path))
    assert [(one.scan_id, one.body) for one in found] == [(ledger_claim.scan_id, answer().body)]


def test_an_answer_rescued_after_a_torn_one_is_found_again(tmp_path, ledger_claim):
    (tmp_path / "rescued-answers.jsonl").write_bytes(b'{"scan_id": "bs-torn", "rece')
    rescue(str(tmp_path), ledger_claim, answer().body, answer().received_at)

    assert [one.scan_id for one in rescued(str(tmp_path))] == [ledger_claim.scan_id]


def test_where_no_file_can_be_written_the_answer_goes_to_stderr(
    tmp_path, ledger_claim, capfdbinary
):
    where = rescue(str(tmp_path / "gone"), ledger_claim, answer().body, answer().received_at)
    line = capfdbinary.readouterr().err

    assert where == "stderr"
    assert json.loads(line[line.index(b"{") :])["scan_id"] == ledger_claim.scan_id
