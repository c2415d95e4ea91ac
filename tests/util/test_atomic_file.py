from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from batchscan.errors import UsageError
from batchscan.util.atomic_file import create_file


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_meanwhile_is_left_as_it_is(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "link", _no_links)
    path = tmp_path / "a"

    with pytest.raises(UsageError, match="already exists"):
        _write(path, lambda: path.write_bytes(b"theirs"))

    assert path.read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == ["a"]


def test_a_file_system_without_links_gets_the_file_too(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", _no_links)

    _write(tmp_path / "a")

    assert (tmp_path / "a").read_bytes() == b"ours"
    assert os.listdir(tmp_path) == ["a"]


def test_a_block_that_fails_leaves_nothing(tmp_path):
    def fail() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        _write(tmp_path / "a", fail)

    assert not os.listdir(tmp_path)


def _write(path: Path, meanwhile: Callable[[], object] = lambda: None) -> None:
    with create_file(str(path)) as file:
        file.write(b"ours")
        meanwhile()


def _no_links(*_: object) -> None:
    raise PermissionError
