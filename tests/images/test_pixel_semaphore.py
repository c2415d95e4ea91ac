import threading

import pytest

from batchscan.images.pixel_semaphore import PixelSemaphore


def test_a_weight_that_does_not_fit_waits_until_another_leaves():
    allowance = PixelSemaphore(10)
    entered = threading.Event()

    def second() -> None:
        with allowance.hold(6):
            entered.set()

    with allowance.hold(6):
        thread = threading.Thread(target=second)
        thread.start()
        assert not entered.wait(0.05)
    assert entered.wait(5)
    thread.join()
    assert repr(allowance) == "<Allowance 10 of 10 free>"


def test_light_weights_pass_together():
    allowance = PixelSemaphore(10)

    with allowance.hold(5), allowance.hold(5):
        assert repr(allowance) == "<Allowance 0 of 10 free>"


def test_more_than_the_capacity_takes_all_of_it_instead_of_waiting_for_ever():
    allowance = PixelSemaphore(10)

    with allowance.hold(1000):
        assert repr(allowance) == "<Allowance 0 of 10 free>"


def test_what_was_held_is_given_back_after_an_error():
    allowance = PixelSemaphore(10)

    with pytest.raises(ZeroDivisionError), allowance.hold(7):
        _ = 1 // 0

    assert repr(allowance) == "<Allowance 10 of 10 free>"
