from __future__ import annotations

import gc
import threading

import pytest

from batchscan.util.collection import collection_held


def test_the_collector_runs_again_when_the_last_thread_is_done():
    first_in, second_in, leave = threading.Event(), threading.Event(), threading.Event()

    def hold(entered: threading.Event) -> None:
        with collection_held():
            entered.set()
            leave.wait()

    others = [threading.Thread(target=hold, args=(each,)) for each in (first_in, second_in)]
    for other in others:
        other.start()
    assert first_in.wait(10)
    assert second_in.wait(10)
    with pytest.raises(MemoryError), collection_held():
        raise MemoryError
    assert not gc.isenabled()
    leave.set()
    for other in others:
        other.join()
    assert gc.isenabled()


def test_a_disabled_garbage_collector_stays_disabled():
    gc.disable()
    try:
        with collection_held():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
