"""Files as rule v1 compares them: by their fingerprints, then closely."""

from __future__ import annotations

import io
from typing import NamedTuple

from PIL import Image

from batchscan.images.close_ups import close_up_of
from batchscan.images.judge import Judge
from batchscan.images.rules import Accepted
from batchscan.rendition_types import CloseUp, Fingerprint
from batchscan.renditions.close_look import deviation
from batchscan.renditions.rule import likeness


class Seen(NamedTuple):
    """What is compared of a file."""

    fingerprint: Fingerprint
    close_up: CloseUp


def seen(judge: Judge, data: bytes, name: str = "a") -> Seen | None:
    """What is compared of a file; None if it is never compared."""
    verdict = judge.judge(data, name)
    assert isinstance(verdict, Accepted), verdict
    if verdict.fingerprint is None:
        return None
    close_up = close_up_of(Image.open(io.BytesIO(data)))
    assert close_up is not None
    return Seen(verdict.fingerprint, close_up)


def one_picture(one: Seen | None, other: Seen | None) -> bool:
    """Whether the rule takes two files for one picture."""
    if one is None or other is None:
        return False
    found = likeness(one.fingerprint, other.fingerprint)
    assert found == likeness(other.fingerprint, one.fingerprint), "the order does not matter"
    return found.same and deviation(one.close_up, other.close_up) <= 1
