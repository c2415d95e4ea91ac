import contextlib
import os
import socket
import subprocess
from pathlib import Path

import pytest

from batchscan.walk import BLOCK, block
from tests.support.places import found, names, reads_everything, touch, walk


def enter(name: str) -> str:
    """Make a folder and go into it: so a path may grow longer than one call takes."""
    os.mkdir(name)
    os.chdir(name)
    return name


def test_pictures_are_found_by_their_extensions_in_any_case(tmp_path):
    touch(tmp_path, "a.jpg", "sub/deep/B.PNG", "c.txt", "d.Gif")
    walked = walk(tmp_path)

    assert sorted(names(list(walked.blocks()), tmp_path)) == ["a.jpg", "d.Gif", "sub/deep/B.PNG"]
    assert walked.counts.ignored == 1
    assert walked.counts.seen == {str(tmp_path): 3}


def test_an_entry_holds_what_one_stat_said(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"12345")
    os.utime(path, ns=(1, 1_600_000_000_123_456_789))
    (block,) = walk(tmp_path).blocks()

    assert block.entries == [("a.jpg", 5, 1_600_000_000_123_456_789, path.stat().st_ctime_ns)]
    assert (block.folder, block.root, block.named_by_user) == (str(tmp_path), str(tmp_path), False)


@pytest.mark.parametrize(
    "name", [
        "IMG_0001", ".jpg", "dots.", "Makefile", "a.pjpeg", "a.pjp", "a.jp", "a.jfif-tbnl",
        "IMG.jpg?w=2", "x.jpg ", "x.jpg.1", "x.jpg~", "x.jpg_large", "x.bak",
    ],
)  # fmt: skip
def test_names_without_a_known_extension_are_handed_on_for_a_look_inside(tmp_path, name):
    touch(tmp_path, name)
    walked = walk(tmp_path)
    (block,) = walked.blocks()

    assert [entry[0] for entry in block.unnamed] == [name]
    assert not block.entries
    assert walked.counts.seen == {str(tmp_path): 1}


def test_blocks_are_bounded_in_one_folder_and_ordered(tmp_path):
    total = BLOCK + 3
    for number in range(total):
        (tmp_path / f"{number:05}.png").touch()
    touch(tmp_path, "sub/x.png")
    blocks = list(walk(tmp_path).blocks())

    assert max(len(block.entries) for block in blocks) <= BLOCK
    assert len(set(names(blocks))) == len(names(blocks)) == total + 1
    assert all(block.entries == sorted(block.entries) for block in blocks)


def test_names_are_ordered_by_their_bytes(tmp_path):
    raw = [b"\xff.png", "😀.png".encode(), b"z.png", "é.png".encode()]
    for name in raw:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).touch()
    (block,) = walk(tmp_path).blocks()

    assert [os.fsencode(entry[0]) for entry in block.entries] == sorted(raw)


def test_links_are_not_followed_but_counted(tmp_path):
    outside = touch(tmp_path / "outside", "a.png", "b/c.png")
    inside = touch(tmp_path / "inside", "own.png")
    (inside / "file.png").symlink_to(outside / "a.png")
    (inside / "folder").symlink_to(outside)
    (inside / "dangling.png").symlink_to("nowhere")
    walked = walk(inside)

    assert names(list(walked.blocks()), inside) == ["own.png"]
    assert walked.counts.ignored == 3


def test_followed_links_lead_to_files_and_folders_outside(tmp_path):
    outside = touch(tmp_path / "outside", "a.png", "b/c.png")
    inside = touch(tmp_path / "inside", "own.png")
    (inside / "file.png").symlink_to(outside / "a.png")
    (inside / "folder").symlink_to(outside)
    (inside / "dangling.png").symlink_to("nowhere")

    assert found(inside, follow_symlinks=True) == [
        "file.png",
        "folder/a.png",
        "folder/b/c.png",
        "own.png",
    ]


def test_followed_loops_end_and_a_folder_counts_once(tmp_path):
    touch(tmp_path, "pics/a.png")
    (tmp_path / "pics" / "up").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to("pics")
    (tmp_path / "self.png").symlink_to("self.png")
    walked = walk(tmp_path, follow_symlinks=True)

    assert names(list(walked.blocks()), tmp_path) == ["pics/a.png"]
    assert walked.counts.ignored == 1  # the link that leads to itself


def test_fifos_and_sockets_are_ignored(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s.png"))
        walked = walk(tmp_path)

        assert not list(walked.blocks())
        assert walked.counts.ignored == 2


def test_overlapping_roots_count_once(tmp_path):
    touch(tmp_path, "a.png", "sub/b.png", "sub/deep/c.png")
    (tmp_path / "link").symlink_to("sub")
    roots = [tmp_path, tmp_path / "sub", f"{tmp_path}/sub/../sub", tmp_path / "link"]
    for order in (roots, roots[::-1]):
        walked = walk(*order)

        assert len(names(list(walked.blocks()))) == 3
        assert sum(walked.counts.seen.values()) == 3


def test_a_root_inside_another_is_walked_under_its_own_rules(tmp_path):
    touch(tmp_path, ".git/a.png", "b.png")
    walked = walk(tmp_path, tmp_path / ".git")

    assert sorted(names(list(walked.blocks()), tmp_path)) == [".git/a.png", "b.png"]


def test_a_root_may_be_a_link_whose_name_stays_in_the_paths(tmp_path):
    touch(tmp_path / "real", "a.png")
    (tmp_path / "link").symlink_to("real")
    (block,) = walk(tmp_path / "link").blocks()

    assert block.folder == str(tmp_path / "link")


def test_a_file_root_is_taken_whatever_its_name_and_counts_once(tmp_path):
    touch(tmp_path, "notes.txt", "a.png", "b.png")
    blocks = list(walk(tmp_path / "notes.txt", tmp_path, tmp_path / "a.png").blocks())

    assert [(block.named_by_user, names([block], tmp_path)) for block in blocks] == [
        (True, ["a.png", "notes.txt"]),
        (False, ["b.png"]),
    ]


def test_state_and_output_are_never_entered_however_they_are_called(tmp_path):
    touch(tmp_path, "a.png", "out/evidence.png", "state/x.png")
    (tmp_path / "alias").symlink_to("out")
    never = [tmp_path / "alias", tmp_path / "state", tmp_path / "not-there"]

    assert names(list(walk(tmp_path, never=never).blocks()), tmp_path) == ["a.png"]
    assert not list(walk(tmp_path / "out", never=never).blocks())


def test_a_path_too_long_for_the_system_is_lost_coverage_and_the_rest_is_found(tmp_path):
    touch(tmp_path, "z.png")
    name = "n" * 200
    with contextlib.chdir(tmp_path):
        for _ in range(25):
            enter(name)
    walked = walk(tmp_path)

    assert names(list(walked.blocks()), tmp_path) == ["z.png"]
    assert walked.counts.unreadable_folders == 1
    ((path, why),) = walked.counts.unreadable.items()
    assert path.startswith(str(tmp_path / name))
    assert why == "File name too long"


def test_a_deep_tree_needs_no_recursion(tmp_path):
    with contextlib.chdir(tmp_path):
        for _ in range(1500):
            enter("d")
        Path("a.png").touch()

    try:
        assert len(found(tmp_path)) == 1
    finally:
        subprocess.run(["rm", "-rf", tmp_path], check=True)  # Python's own way recurses


def test_a_folder_removed_during_the_walk_was_never_there(tmp_path):
    touch(tmp_path, "a.png", "b/c.png", "d/e.png")
    walked = walk(tmp_path)
    blocks = walked.blocks()
    first = next(blocks)
    (tmp_path / "b" / "c.png").unlink()
    (tmp_path / "b").rmdir()

    assert names([first, *blocks], tmp_path) == ["a.png", "d/e.png"]
    assert walked.counts.unreadable_folders == 0


def test_a_folder_swapped_for_a_link_during_the_walk_is_not_followed(tmp_path):
    secret = touch(tmp_path / "secret", "s.png")
    root = touch(tmp_path / "root", "a.png", "b/c.png")
    blocks = walk(root).blocks()
    first = next(blocks)
    (root / "b").rename(root / "moved")
    (root / "b").symlink_to(secret)

    assert names([first, *blocks], root) == ["a.png"]


def test_a_root_that_went_away_is_lost_coverage(tmp_path):
    walked = walk(tmp_path / "gone")

    assert not list(walked.blocks())
    assert walked.counts.unreadable == {str(tmp_path / "gone"): "No such file or directory"}


def test_a_folder_that_goes_away_as_the_walk_comes_to_it_is_lost_if_it_is_a_root(tmp_path):
    first = touch(tmp_path / "first", "a.png")
    second = touch(tmp_path / "second")
    second.mkdir()
    walked = walk(first, second)
    blocks = walked.blocks()
    next(blocks)
    second.rmdir()

    assert not list(blocks)
    assert walked.counts.unreadable_folders == 1


def test_an_empty_root_can_be_reported(tmp_path):
    walked = walk(tmp_path)

    assert not list(walked.blocks())
    assert walked.counts.seen == {str(tmp_path): 0}


@pytest.mark.skipif(reads_everything(), reason="the superuser may read everything")
def test_unreadable_folders_are_counted_and_their_names_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(block, "MAX_UNREADABLE", 20)
    for number in range(20 + 1):
        (tmp_path / f"{number}").mkdir(mode=0)
    walked = walk(tmp_path)

    assert not list(walked.blocks())
    assert walked.counts.unreadable_folders == 20 + 1
    assert len(walked.counts.unreadable) == 20


def test_pictures_that_cannot_be_statted_are_handed_on_by_name(tmp_path):
    # A folder whose own path just fits the system's limit, so that its files' paths do not.
    name = "too-long" * 10 + ".png"
    folder = str(tmp_path)
    with contextlib.chdir(tmp_path):
        while (room := 4070 - len(folder) - 1) > 0:
            folder += "/" + enter("n" * min(200, room))
        Path(name).touch()
    walked = walk(tmp_path)
    (block,) = walked.blocks()

    assert (block.folder, block.without_stat) == (folder, [name])
    assert walked.counts.seen == {str(tmp_path): 1}
    assert walked.counts.unreadable_folders == 0


@pytest.mark.skipif(reads_everything(), reason="the superuser may read everything")
def test_a_folder_that_only_lists_names_is_lost_as_it_may_hide_an_ignore_file(tmp_path):
    touch(tmp_path, "s/a.png", "b.png")
    (tmp_path / "s").chmod(0o400)
    walked = walk(tmp_path)
    blocks = list(walked.blocks())
    (tmp_path / "s").chmod(0o700)

    assert names(blocks, tmp_path) == ["b.png"]
    assert walked.counts.unreadable == {str(tmp_path / "s"): "Permission denied"}
