from __future__ import annotations

import os

import pytest

from batchscan.errors import LockedError, StorageError
from batchscan.state.lock import StateLock, make_private_folder


def test_a_second_run_learns_who_holds_the_state_folder(tmp_path):
    first = StateLock(tmp_path, "fail")
    assert first.acquire()
    with pytest.raises(LockedError, match=f"process {os.getpid()}"):
        StateLock(tmp_path, "fail").acquire()
    with pytest.raises(LockedError) as skipped:
        StateLock(tmp_path, "skip").acquire()
    assert str(skipped.value) == ""
    assert StateLock(tmp_path, "wait").acquire() is False

    first.release()
    second = StateLock(tmp_path, "fail")
    assert second.acquire()
    second.release()


def test_a_private_folder_is_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        make_private_folder(tmp_path / "a" / "state")
    finally:
        os.umask(before)

    assert (tmp_path / "a" / "state").stat().st_mode & 0o777 == 0o700


def test_a_state_folder_that_cannot_be_made_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to("nowhere")

    for name in ("file", "link"):
        with pytest.raises(StorageError, match=f"/{name} cannot be written: it is not a folder"):
            make_private_folder(tmp_path / name / "state")
