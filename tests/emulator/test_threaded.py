from __future__ import annotations

import threading
import urllib.error
import urllib.request

import pytest

from batchscan.emulator import Fault
from batchscan.emulator.fault_actions import AnswerInstead
from batchscan.emulator.threaded import serve_in_thread
from batchscan.errors import UsageError
from tests.support.emulator_client import lenient


def test_an_emulator_in_a_thread_serves_while_the_block_runs():
    with serve_in_thread(lenient()) as emulator:
        with urllib.request.urlopen(f"{emulator.url}/_emulator/stats") as answer:
            assert answer.status == 200
        emulator.faults = (Fault(action=AnswerInstead(418)),)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{emulator.url}/v3/scans/credits")
        assert caught.value.code == 418
        caught.value.close()
        assert [entry.status for entry in emulator.journal] == [418]
        url = emulator.url
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url)
    assert "emulator" not in [thread.name for thread in threading.enumerate()]


def test_an_error_at_the_start_is_raised_to_the_caller(tmp_path):
    config = lenient(web=tmp_path / "none")
    with pytest.raises(UsageError, match="not a folder"), serve_in_thread(config):
        pass


def test_it_ends_with_a_block_that_raises():
    with pytest.raises(ZeroDivisionError), serve_in_thread(lenient()):
        raise ZeroDivisionError
    assert "emulator" not in [thread.name for thread in threading.enumerate()]
