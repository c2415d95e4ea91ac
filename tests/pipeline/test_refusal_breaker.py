from __future__ import annotations

from batchscan.enums import FailReason
from batchscan.model import Claim, Failed
from batchscan.pipeline.decision import RefusedNow
from batchscan.pipeline.refusal_breaker import HeldRefusal, RefusalBreaker
from tests.support.ledgers import image
from tests.support.outcomes import NO_EFFORT, SUBJECT


def held(number: int) -> HeldRefusal:
    picture = image(content=b"%d" % number)
    refused = Failed(SUBJECT, NO_EFFORT, FailReason.SERVER_ERROR, "")
    return HeldRefusal(picture, RefusedNow(refused, Claim(1, "bs-1", 1)))


def test_ten_different_refusals_in_a_row_are_the_services_fault():
    refusals = RefusalBreaker()

    assert [refusals.refused(held(number)) for number in range(10)] == [False] * 9 + [True]


def test_copies_of_a_refused_picture_count_once_and_an_answer_resets_the_count():
    refusals = RefusalBreaker()
    for _ in range(20):
        assert not refusals.refused(held(0))
    assert len(refusals.release()) == 20

    assert not any(refusals.refused(held(number)) for number in range(9))
