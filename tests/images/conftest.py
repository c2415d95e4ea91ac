"""Judges that share one child process for camera RAW, because starting it takes its time."""

from collections.abc import Callable, Iterator

import pytest

from batchscan.images.judge import Judge
from batchscan.images.raw_process import RawProcess
from batchscan.images.rules import Rules


@pytest.fixture(scope="session")
def raw_process() -> Iterator[RawProcess]:
    process = RawProcess()
    yield process
    process.close()


@pytest.fixture
def judge_by(raw_process: RawProcess) -> Callable[[Rules], Judge]:
    return lambda rules: Judge(rules, raw_process)


@pytest.fixture
def judge(judge_by: Callable[[Rules], Judge]) -> Judge:
    return judge_by(Rules())
