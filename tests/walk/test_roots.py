import os

import pytest

from batchscan.errors import UsageError
from batchscan.walk import check_roots
from tests.support.places import reads_everything, touch


def test_files_folders_and_links_to_them_are_roots(tmp_path):
    touch(tmp_path, "a.png")
    (tmp_path / "link").symlink_to("a.png")

    check_roots([str(tmp_path), str(tmp_path / "a.png"), str(tmp_path / "link")])


@pytest.mark.parametrize("root", ["gone", "", "nul\0", "\x1b[31m"])
def test_a_root_that_is_not_there_is_named(tmp_path, monkeypatch, root):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="cannot scan") as caught:
        check_roots([root])

    assert str(caught.value).isprintable()


def test_a_device_or_fifo_is_no_root(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for root in ("/dev/null", str(tmp_path / "pipe")):
        with pytest.raises(UsageError, match="neither a file nor a folder"):
            check_roots([root])


def test_a_folder_inside_the_output_is_refused_with_advice(tmp_path):
    touch(tmp_path, "out/pics/a.png")
    (tmp_path / "alias").symlink_to("out")
    for root in ("out", "out/pics", "alias/pics"):
        with pytest.raises(UsageError, match="keeps its own files") as caught:
            check_roots([str(tmp_path / root)], never=[str(tmp_path / "out")])
        assert "--output" in str(caught.value.advice)

    check_roots([str(tmp_path), str(tmp_path / "out/pics/a.png")], never=[str(tmp_path / "out")])


@pytest.mark.skipif(reads_everything(), reason="the superuser may read everything")
def test_a_root_that_may_not_be_read_is_refused(tmp_path):
    touch(tmp_path, "a.png").joinpath("a.png").chmod(0)
    (tmp_path / "closed").mkdir(mode=0)
    for root in ("a.png", "closed"):
        with pytest.raises(UsageError, match="you may not read"):
            check_roots([str(tmp_path / root)])
