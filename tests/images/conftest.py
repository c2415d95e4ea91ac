"""Judges that share one decoder process, because starting it takes its time."""

from collections.abc import Callable, Iterator

import pytest

from batchscan.images.decoding.pool import Decoders
from batchscan.images.judge import Judge
from batchscan.images.rules import Rules


@pytest.fixture(scope="session")
def decoders() -> Iterator[Decoders]:
    process = Decoders(1)
    yield process
    process.close()


@pytest.fixture
def judge_by(decoders: Decoders) -> Callable[[Rules], Judge]:
    return lambda rules: Judge(rules, decoders)


@pytest.fixture
def judge(judge_by: Callable[[Rules], Judge]) -> Judge:
    return judge_by(Rules())
