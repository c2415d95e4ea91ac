"""The address of a Dask scheduler."""

from __future__ import annotations

import pytest

from batchscan.errors import UsageError
from batchscan.settings.load import load


@pytest.mark.parametrize(
    "address", ["local", "tcp://10.0.0.1:8786", "tls://dask.example:8786", "wss://[::1]:443"]
)
def test_a_scheduler_or_this_machine_is_named(address):
    assert load({"engine.dask": address}, {}, credentials=False).settings.engine.dask == address


@pytest.mark.parametrize(
    "address",
    [
        "", "LOCAL", "10.0.0.1:8786", "tcp://10.0.0.1", "tcp://:8786", "tcp://host:0",
        "http://host:8786", "tcp://host:8786/x", "tcp://a b:8786", "tcp://host:99999",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_what_is_allowed(address):
    with pytest.raises(UsageError, match=r"engine.dask.*local, or a scheduler's address"):
        load({"engine.dask": address}, {}, credentials=False)


def test_a_password_in_it_is_refused():
    with pytest.raises(UsageError, match="user name or password"):
        load({"engine.dask": "tcp://me:secret@host:8786"}, {}, credentials=False)
