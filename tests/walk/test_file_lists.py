import gzip
import io
import os
import socket
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from batchscan.errors import UsageError
from batchscan.walk import BLOCK, FileList
from batchscan.walk.file_lists import MAX_NAME
from tests.support.pictures import jpeg, png
from tests.support.places import names, touch


def listed(data: bytes, *, nul: bool = False):
    return list(FileList("-", nul=nul, stdin=io.BytesIO(data)).blocks())


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_names_are_relative_to_the_working_folder_and_each_counts_once(here):
    touch(here, "b.png", "a.png", "s/c.txt")
    lines = f"b.png\n./b.png\n\ns/c.txt\r\n{here}/a.png\ns/../a.png"
    blocks = listed(lines.encode())

    assert [(block.folder, [entry[0] for entry in block.entries]) for block in blocks] == [
        (str(here), ["a.png", "b.png"]),
        (str(here / "s"), ["c.txt"]),
    ]
    assert all(block.named_by_user and block.root is None for block in blocks)


@pytest.mark.usefixtures("here")
def test_nul_separated_names_may_hold_anything_else():
    odd = [b"line\nfeed.png", b"\xe9.png", b" ", b"cr\r"]
    for name in odd:
        Path(os.fsdecode(name)).touch()
    (block,) = listed(b"\0".join(odd) + b"\0\0", nul=True)

    assert sorted(os.fsencode(entry[0]) for entry in block.entries) == sorted(odd)


def test_a_byte_order_mark_is_no_part_of_the_first_name(here):
    touch(here, "a.png")

    assert names(listed(b"\xef\xbb\xbfa.png\n"), here) == ["a.png"]


def test_what_is_no_file_is_handed_on_without_a_stat(here):
    (here / "folder").mkdir()
    os.mkfifo(here / "pipe.png")
    (here / "loop").symlink_to("loop")
    (block,) = listed(b"pipe.png\nfolder\ngone.png\nloop\nnul\0.png\n" + b"n" * 300)

    assert not block.entries
    assert block.without_stat == ["folder", "gone.png", "loop", "n" * 300, "nul\0.png", "pipe.png"]


@pytest.mark.usefixtures("here")
def test_a_name_with_a_nul_and_dots_survives():
    (block,) = listed(b"x/../nul\0.png\n")

    assert block.without_stat == ["nul\0.png"]


def test_a_listed_link_is_followed_under_its_own_name(here):
    touch(here, "real.bin")
    (here / "link.png").symlink_to("real.bin")

    assert names(listed(b"link.png\n"), here) == ["link.png"]


def test_dots_after_a_link_lead_where_the_system_says(here):
    touch(here, "far/away/x", "far/a.png")
    (here / "link").symlink_to("far/away")

    assert names(listed(b"link/../a.png\n"), here) == ["far/a.png"]


@pytest.mark.usefixtures("here")
def test_blocks_of_a_long_list_are_bounded():
    lines = b"".join(b"%d.png\n" % number for number in range(BLOCK + 5))
    blocks = listed(lines)

    assert [len(block.without_stat) for block in blocks] == [BLOCK, 5]


def test_a_list_may_be_a_file(here):
    touch(here, "a.png")
    (here / "list").write_bytes(b"a.png")

    assert names(list(FileList("list").blocks()), here) == ["a.png"]


@pytest.mark.usefixtures("here")
def test_a_list_that_is_not_there_is_a_usage_error():
    with pytest.raises(UsageError, match=r"cannot read the list 'no\\x1bne': No such file"):
        FileList("no\x1bne")
    with pytest.raises(UsageError, match="Is a directory"):
        FileList(".")


@pytest.mark.usefixtures("here")
def test_a_file_without_separators_is_not_a_list():
    with pytest.raises(UsageError, match="not a list of names"):
        listed(b"x" * (3 * MAX_NAME))


def test_a_list_that_breaks_off_is_lost_coverage(here):
    touch(here, "a.png")
    mine, theirs = socket.socketpair()
    theirs.sendall(b"a.png\n")
    mine.sendall(b"unread, so that closing resets")
    with mine, mine.makefile("rb", buffering=0) as stream:
        listing = FileList("-", stdin=cast("BinaryIO", stream))
        blocks = listing.blocks()
        theirs.close()
        found = names(list(blocks), here)

    assert found == ["a.png"]
    assert listing.counts.unreadable == {"-": "Connection reset by peer"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_a_list_that_is_not_text_in_bytes_is_refused(encoding):
    with pytest.raises(UsageError, match=r"is in UTF-16 or UTF-32"):
        listed("/pictures/a.png\n/pictures/b.png\n".encode(encoding))


def test_a_list_separated_by_nul_bytes_is_answered_with_the_flag_for_it():
    with pytest.raises(UsageError, match="separated by NUL bytes") as caught:
        listed(b"/pictures/a.png\0/pictures/b.png\0")
    assert caught.value.advice == "read it with --files0-from"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (jpeg(), "a JPEG"),
        (png(), "a PNG"),
        (gzip.compress(b"/pictures/a.png\n", mtime=0), "gzip data"),
    ],
)
def test_another_kind_of_file_is_no_list_of_names(data, what):
    with pytest.raises(UsageError, match=f"is not a list of names but {what}"):
        listed(data)


def test_a_name_that_begins_like_another_kind_of_file_is_a_name(here):
    touch(here, "RIFF.png")
    assert names(listed(b"RIFF.png\n"), here) == ["RIFF.png"]
