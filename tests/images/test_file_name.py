import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.enums import RejectReason
from batchscan.images import kinds
from batchscan.images.file_name import MAX_FILE_NAME, agree, safe_file_name
from batchscan.images.rules import RuleViolation


@pytest.mark.parametrize("name", ["a.jpg", "A.JPEG"])
def test_a_fitting_name_keeps_its_extension(name):
    assert agree(kinds.JPEG, name) == (name[1:].lower(), None)


@pytest.mark.parametrize("name", ["a.png", "a.heic", "a.jpe", "a.jfif", "a.mpo", "a"])
def test_a_raster_under_another_name_is_sent_under_its_own(name):
    extension, warning = agree(kinds.JPEG, name)

    assert extension == ".jpg"
    assert warning is not None
    assert warning.startswith("extension_mismatch: ")


@pytest.mark.parametrize(
    ("kind", "name"), [(kinds.JPEG, "a.nef"), (kinds.CR2, "a.jpg"), (kinds.DNG, "a.tif")]
)
def test_raw_and_raster_under_each_others_names_are_refused(kind, name):
    with pytest.raises(RuleViolation, match="rename it") as refused:
        agree(kind, name)
    assert refused.value.reason is RejectReason.EXTENSION_MISMATCH


def test_raw_may_have_the_general_name_or_none():
    assert agree(kinds.DNG, "a.RAW") == (".raw", None)
    assert agree(kinds.DNG, "a")[0] == ".dng"
    assert agree(kinds.CR2, "a.nef")[0] == ".cr2"


@pytest.mark.parametrize("name", ["a.cr2?w=1", "a.cr2.1", "a.bak"])
def test_raw_under_a_name_that_is_no_pictures_is_sent_under_its_own(name):
    extension, warning = agree(kinds.CR2, name)

    assert extension == ".cr2"
    assert warning is not None
    assert warning.startswith("extension_mismatch: ")


@pytest.mark.parametrize(
    ("path", "extension", "expected"),
    [
        ("/x/photo.png", ".jpg", "photo.jpg"),
        ("/x/Photo.JPG", ".jpg", "Photo.JPG"),
        ("/x/photo", ".png", "photo.png"),
        ('/x/a"b\r\nc\\d.png', ".png", "a_b__c_d.png"),
        ("/x/caf\udce9.png", ".png", "caf_.png"),
        ("/x/été 2024.jpeg", ".jpeg", "été 2024.jpeg"),
        ("/x/.png", ".png", "png.png"),
        ("/x/\u202egnp.exe.png", ".png", "_gnp.exe.png"),
        ("/x/" + "ä" * 300 + ".png", ".png", "ä" * 251 + ".png"),
    ],
)
def test_the_name_that_is_sent_is_safe_and_fits_the_content(path, extension, expected):
    assert safe_file_name(path, extension) == expected


@given(st.text(st.characters(codec=None), min_size=1))
def test_any_name_becomes_one_that_a_multipart_header_can_hold(name):
    made = safe_file_name("/x/" + name, ".png")

    assert made.encode()
    assert 4 < len(made) <= MAX_FILE_NAME
    assert not set(made) & set("\"'/\\\r\n\0")
    assert made.lower().endswith(".png")
