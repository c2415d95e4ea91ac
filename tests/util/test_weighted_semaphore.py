import threading

import pytest

from batchscan.util.weighted_semaphore import WeightedSemaphore


def test_a_weight_that_does_not_fit_waits_until_another_leaves():
    semaphore = WeightedSemaphore(10)
    entered = threading.Event()

    def second() -> None:
        with semaphore.hold(6):
            entered.set()

    with semaphore.hold(6):
        thread = threading.Thread(target=second)
        thread.start()
        assert not entered.wait(0.05)
    assert entered.wait(5)
    thread.join()
    assert repr(semaphore) == "<WeightedSemaphore 10 of 10 free>"


def test_light_weights_pass_together():
    semaphore = WeightedSemaphore(10)

    with semaphore.hold(5), semaphore.hold(5):
        assert repr(semaphore) == "<WeightedSemaphore 0 of 10 free>"


def test_more_than_the_capacity_takes_all_of_it_instead_of_waiting_for_ever():
    semaphore = WeightedSemaphore(10)

    with semaphore.hold(1000):
        assert repr(semaphore) == "<WeightedSemaphore 0 of 10 free>"


def test_what_was_held_is_given_back_after_an_error():
    semaphore = WeightedSemaphore(10)

    with pytest.raises(ZeroDivisionError), semaphore.hold(7):
        _ = 1 // 0

    assert repr(semaphore) == "<WeightedSemaphore 10 of 10 free>"
