from __future__ import annotations

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.errors import StorageError
from batchscan.takedown import write_drafts
from batchscan.takedown.drafts import file_name

ONE = {".md": b"# one\n", ".txt": b"one\n"}
TWO = {".md": b"# two\n", ".txt": b"two\n"}


def names(folder) -> list[str]:
    return sorted(os.listdir(folder))


def states(folder) -> dict[str, tuple[int, ...]]:
    """What writing changes; reading a file changes its atime."""
    stats = {path.name: path.stat() for path in folder.iterdir()}
    return {name: (stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns) for name, stat in stats.items()}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "new" / "drafts"


@pytest.fixture(autouse=True)
def _open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def test_drafts_and_their_folder_are_their_owners_alone(folder):
    drafts = write_drafts(str(folder), "example.com", ONE)

    assert [(draft.path, draft.fresh) for draft in drafts] == [
        (str(folder / "example.com.md"), True),
        (str(folder / "example.com.txt"), True),
    ]
    assert (folder / "example.com.md").read_bytes() == b"# one\n"
    modes = [path.stat().st_mode & 0o777 for path in (folder.parent, folder, *folder.iterdir())]
    assert modes == [0o700, 0o700, 0o600, 0o600]


def test_the_same_again_is_left_as_it_is(folder):
    write_drafts(str(folder), "example.com", ONE)
    before = states(folder)
    drafts = write_drafts(str(folder), "example.com", ONE)

    assert [draft.fresh for draft in drafts] == [False, False]
    assert states(folder) == before


def test_what_may_have_been_edited_stays_and_both_files_get_the_next_number(folder):
    write_drafts(str(folder), "example.com", ONE)
    (folder / "example.com.txt").write_bytes(b"one, edited\n")
    write_drafts(str(folder), "example.com", ONE)
    write_drafts(str(folder), "example.com", TWO)
    drafts = write_drafts(str(folder), "example.com", TWO)

    assert (folder / "example.com.txt").read_bytes() == b"one, edited\n"
    assert names(folder) == [
        f"example.com{number}{suffix}" for number in ("-2", "-3", "") for suffix in ONE
    ]
    assert [draft.path for draft in drafts] == [
        str(folder / "example.com-3.md"),
        str(folder / "example.com-3.txt"),
    ]


@pytest.mark.parametrize("kind", ["link", "dangling", "folder", "fifo", "longer", "empty"])
def test_whatever_is_at_the_name_is_left_alone(folder, kind):
    folder.mkdir(parents=True)
    there, other = folder / "example.com.md", folder / "other"
    other.write_bytes(ONE[".md"])
    make = {
        "link": lambda: there.symlink_to(other),
        "dangling": lambda: there.symlink_to(folder / "nothing"),
        "folder": there.mkdir,
        "fifo": lambda: os.mkfifo(there),
        "longer": lambda: there.write_bytes(ONE[".md"] + b"and more"),
        "empty": there.touch,
    }
    make[kind]()
    write_drafts(str(folder), "example.com", ONE)

    assert (folder / "example.com-2.md").read_bytes() == ONE[".md"]
    assert not (folder / "nothing").exists()
    assert other.read_bytes() == ONE[".md"]


@pytest.mark.parametrize("domain", ["example.com", "xn--bcher-kva.example", "192.168.0.1", "a.b-2"])
def test_a_domain_is_taken_literally(domain):
    assert file_name(domain) == domain


@pytest.mark.parametrize(
    ("domain", "start"),
    [
        ("", "unknown-site-"),
        ("..", "unknown-site-"),
        ("../../etc/passwd", "etc-passwd-"),
        ("Bücher.example", "b-cher-example-"),
        ("x" * 300, "x" * 100 + "-"),
    ],
)
def test_of_other_domains_what_can_be_read_is_kept(domain, start):
    assert re.fullmatch(re.escape(start) + "[0-9a-f]{8}", file_name(domain))


@given(st.text(st.characters(codec=None), max_size=300))
def test_any_domain_gives_a_safe_name(domain):
    name = file_name(domain)

    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
    assert name[0] not in ".-"
    assert ".." not in name
    assert 0 < len(name) <= 110


def test_no_two_domains_share_a_name():
    domains = ["a/b", "a\\b", "a b", "A b", "x" * 300, "x" * 301, "", ".", "..", "a..b", "é", "ê"]

    assert len({file_name(domain) for domain in domains}) == len(domains)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot write") as caught:
        write_drafts(str(tmp_path / "file" / "drafts"), "example.com", ONE)
    assert "--to" in (caught.value.advice or "")
