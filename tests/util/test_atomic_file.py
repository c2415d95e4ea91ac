from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from batchscan.errors import StorageError, UsageError
from batchscan.util.atomic_file import create_file, link_atomic, write_atomic


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


def test_a_pipe_is_written_into_and_stays_a_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_atomic(str(pipe), [b"a", b"b"])
        assert os.read(reader, 10) == b"ab"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_a_device_is_written_into_through_a_link_and_stays_a_device(tmp_path):
    link = tmp_path / "link"
    link.symlink_to("/dev/full")
    with pytest.raises(StorageError, match="No space left on device"):
        write_atomic(str(link), [b"x"])

    assert link.is_char_device()
    assert link.is_symlink()


def test_an_open_descriptor_is_written_into(tmp_path):
    with open(tmp_path / "file", "wb") as file:
        write_atomic(f"/dev/fd/{file.fileno()}", [b"through it"])

    assert (tmp_path / "file").read_bytes() == b"through it"
    assert os.listdir(tmp_path) == ["file"]


def test_a_file_or_a_link_to_one_is_replaced(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to("file")
    write_atomic(str(tmp_path / "link"), [b"new"])

    assert (tmp_path / "file").read_bytes() == b"old"
    assert (tmp_path / "link").read_bytes() == b"new"


def test_a_source_that_is_no_path_is_not_linked(tmp_path):
    assert not link_atomic("\udcff\0", str(tmp_path / "link"), "1:2:3")
    assert os.listdir(tmp_path) == []
