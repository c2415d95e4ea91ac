import unicodedata

import pytest

from batchscan.images.signature import SEEN_EXTENSIONS
from batchscan.path_patterns import PathPattern
from batchscan.walk.other_names import OTHER_EXTENSIONS
from tests.support.places import found, touch

SYSTEMS = (
    "@eaDir", "#recycle", "#snapshot", "@tmp", "@Recycle", "@Recently-Snapshot", ".@__thumb",
    ".zfs", "~snapshot", ".snapshot", ".recycle", "files_trashbin", "appdata_oc1a2b3c4d5e",
    ".Trashes", ".Trash", ".DocumentRevisions-V100", ".fseventsd", "$RECYCLE.BIN", "$Recycle.Bin",
    "System Volume Information", ".Trash-1000", ".local/share/Trash", ".cache/thumbnails",
    ".thumbnails", "Photos Previews.lrdata", ".dtrash", "CaptureOne/Cache", ".cache/darktable",
)  # fmt: skip
PEOPLES = (
    "thumbnails", "Trash", "cache", "Recycle", "snapshots", "share/Trash", ".Trash-can",
    "appdata_me", "CaptureOne", "My.photoslibrary/resources/derivatives", ".picasaoriginals",
)  # fmt: skip


@pytest.mark.parametrize("folder", SYSTEMS)
def test_folders_of_systems_are_left_out_unless_they_are_named(tmp_path, folder):
    touch(tmp_path, "a.png", f"deep/{folder}/b.png")
    name = folder.rpartition("/")[2]

    assert found(tmp_path) == ["a.png"]
    assert found(tmp_path / "deep" / folder) == ["b.png"]
    assert found(tmp_path, include=(f"**/{name}/*.png",)) == [f"deep/{folder}/b.png"]
    assert f"deep/{folder}/b.png" in found(tmp_path, exclude=(f"!{name}",))
    assert found(tmp_path, include=("*.png",)) == ["a.png"]


@pytest.mark.parametrize("folder", PEOPLES)
def test_folders_of_people_are_scanned(tmp_path, folder):
    touch(tmp_path, f"{folder}/b.png")

    assert found(tmp_path) == [f"{folder}/b.png"]


def test_files_of_systems_come_back_only_where_a_pattern_names_them(tmp_path):
    touch(tmp_path, "._a.png", ".trashed-17-b.png", "c.png")

    assert found(tmp_path) == found(tmp_path, include=("*.png",)) == ["c.png"]
    assert found(tmp_path, include=("._*",)) == ["._a.png"]


def test_no_picture_has_an_extension_that_is_never_looked_at():
    assert not {f".{extension}" for extension in OTHER_EXTENSIONS} & SEEN_EXTENSIONS


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("other", ["NFC", "NFD"])
def test_patterns_and_names_match_in_any_form_of_their_accents(tmp_path, form, other):
    name = unicodedata.normalize(form, "\u00c9t\u00e9")
    pattern = unicodedata.normalize(other, "\u00c9t\u00e9")
    submission = unicodedata.normalize(other, "\u00c9t?")
    touch(tmp_path, f"{name}/a.png", f"{name}/{name}.png")

    assert found(tmp_path, exclude=(f"{pattern}/",)) == []
    assert len(found(tmp_path, include=(f"/{submission}/",))) == 2
    (tmp_path / name / ".batchscanignore").write_text(f"/{pattern}.png\n")
    assert found(tmp_path) == [f"{name}/a.png"]
    assert PathPattern.of(f"{pattern}/").covers(f"/x/{name}/a.png")


def test_names_that_are_not_utf_8_match_as_before(tmp_path):
    touch(tmp_path, "\udce9\u0301/a.png", "b.png")

    assert found(tmp_path, exclude=("\udce9*/",)) == ["b.png"]
