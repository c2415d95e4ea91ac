import os
from pathlib import Path

import pytest

from batchscan.errors import UsageError
from batchscan.walk.ignore_rules import MAX_IGNORE_FILE
from tests.support.places import found, names, touch, walk


def test_other_programs_files_are_left_out_by_default(tmp_path):
    touch(tmp_path, "a.png", "._a.png", ".git/b.png", "s/@eaDir/c.png", ".DS_Store", "Thumbs.db")
    walked = walk(tmp_path)

    assert names(list(walked.blocks()), tmp_path) == ["a.png"]
    assert walked.counts.excluded == 4  # ._a.png, .git, @eaDir, .DS_Store
    assert walked.counts.ignored == 1  # Thumbs.db is no picture by its name


def test_a_negated_exclude_brings_a_default_back(tmp_path):
    touch(tmp_path, "a.png", "._a.png")

    assert found(tmp_path, exclude=("!._*",)) == ["._a.png", "a.png"]


def test_include_takes_only_what_it_names(tmp_path):
    touch(tmp_path, "a.png", "b.gif", "raw/c.gif", "raw/d.png")

    assert found(tmp_path, include=("*.gif",)) == ["b.gif", "raw/c.gif"]
    assert found(tmp_path, include=("/raw/",)) == ["raw/c.gif", "raw/d.png"]


def test_exclude_beats_include_and_what_it_left_out_is_counted(tmp_path):
    touch(tmp_path, "a.png", "b.png", "c.gif")
    walked = walk(tmp_path, include=("*.png",), exclude=("b.*",))

    assert names(list(walked.blocks()), tmp_path) == ["a.png"]
    assert walked.counts.excluded == 2


def test_an_excluded_folder_is_not_entered_and_counts_once(tmp_path):
    touch(tmp_path, "keep/a.png", "drop/b.png", "drop/deep/c.png")
    os.mkfifo(tmp_path / "drop" / ".batchscanignore")  # entering would be noticed
    walked = walk(tmp_path, exclude=("drop/",))

    assert names(list(walked.blocks()), tmp_path) == ["keep/a.png"]
    assert (walked.counts.excluded, walked.counts.unreadable_folders) == (1, 0)


def test_patterns_are_anchored_at_each_root(tmp_path):
    touch(tmp_path, "one/x/a.png", "one/y/x/b.png", "two/x/c.png")
    blocks = list(walk(tmp_path / "one", tmp_path / "two", exclude=("/x",)).blocks())

    assert names(blocks, tmp_path) == ["one/y/x/b.png"]


def test_ignore_files_nest_and_negate_as_in_git(tmp_path):
    touch(tmp_path, "a.gif", "s/b.gif", "s/c.png", "s/t/d.gif", "s/t/e.png", "out/f.png")
    (tmp_path / ".batchscanignore").write_bytes(b"\xef\xbb\xbf*.gif\r\n# a comment\r\nout/\r\n")
    (tmp_path / "s" / ".batchscanignore").write_text("!b.gif\n/c.png\n")
    (tmp_path / "s" / "t" / ".batchscanignore").write_text("e.png\n!d.gif\n")
    (tmp_path / "out" / "x").mkdir()
    (tmp_path / "out" / ".batchscanignore").write_text("!f.png\n")

    assert found(tmp_path) == ["s/b.gif", "s/t/d.gif"]


def test_the_command_line_is_stronger_than_an_ignore_file(tmp_path):
    touch(tmp_path, "a.gif", "b.png")
    (tmp_path / ".batchscanignore").write_text("!a.gif\nb.png\n")

    assert found(tmp_path, exclude=("*.gif", "!b.png")) == ["b.png"]


@pytest.mark.parametrize(
    "content",
    [b"a[z-a]\n", b"[[:alpha:]]\n", b"x\n" * MAX_IGNORE_FILE, "drafts/\n".encode("utf-16")],
)
def test_a_folder_whose_ignore_file_cannot_be_understood_is_not_entered(tmp_path, content):
    touch(tmp_path, "s/a.png", "b.png")
    (tmp_path / "s" / ".batchscanignore").write_bytes(content)
    walked = walk(tmp_path)

    assert names(list(walked.blocks()), tmp_path) == ["b.png"]
    assert list(walked.counts.unreadable) == [str(tmp_path / "s")]


def test_a_folder_whose_ignore_file_cannot_be_read_is_not_entered(tmp_path):
    touch(tmp_path, "s/a.png", "t/b.png", "u/c.png", "v/d.png")
    os.mkfifo(tmp_path / "s" / ".batchscanignore")
    (tmp_path / "t" / ".batchscanignore").symlink_to(".batchscanignore")
    (tmp_path / "u" / ".batchscanignore").symlink_to("rules-that-were-moved")
    walked = walk(tmp_path)

    assert names(list(walked.blocks()), tmp_path) == ["v/d.png"]
    assert walked.counts.unreadable_folders == 3


def test_a_folder_called_like_an_ignore_file_is_a_folder(tmp_path):
    touch(tmp_path, ".batchscanignore/a.png")

    assert found(tmp_path) == [".batchscanignore/a.png"]


def test_odd_names_cannot_slip_through_a_pattern(tmp_path):
    touch(tmp_path, "private/x\ny/a.png", "b\n.png", "c.png")
    latin = Path(os.fsdecode(os.fsencode(tmp_path) + b"/private/x\ny/\xe9.png"))
    latin.touch()

    assert found(tmp_path, exclude=("private/**/*.png", "b*.png")) == ["c.png"]


def test_patterns_that_are_not_utf_8_match_names_that_are_not(tmp_path):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe9.png")).touch()
    touch(tmp_path, "a.png")
    (tmp_path / ".batchscanignore").write_bytes(b"\xe9.png\n")

    assert found(tmp_path) == ["a.png"]


def test_a_bracket_inside_brackets_is_a_bracket(tmp_path):
    touch(tmp_path, "[a.png", "b.png")

    assert found(tmp_path, exclude=("[[]*.png",)) == ["b.png"]


@pytest.mark.parametrize("pattern", ["a[z-a]", "!", "x\\", "[[:digit:]]*", "", "# x", "/", "[a"])
@pytest.mark.parametrize("flag", ["include", "exclude"])
def test_a_broken_pattern_is_named_before_the_walk(pattern, flag):
    with pytest.raises(UsageError, match=f"--{flag}: ") as caught:
        walk("/", **{flag: ("good", pattern)})

    assert f"'{pattern}'" in str(caught.value)


def test_a_hostile_pattern_cannot_stall_the_walk(tmp_path):
    touch(tmp_path, "a" * 240 + ".png")
    (tmp_path / ".batchscanignore").write_text("*a" * 60 + "*b\n" + "*" * 200 + "b\n")

    assert len(found(tmp_path)) == 1
