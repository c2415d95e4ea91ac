import hashlib
import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from batchscan.enums import FailReason, RejectReason
from batchscan.images import kinds
from batchscan.images.judge import Judge
from batchscan.images.read import inspect, inspect_head, pictures_of
from batchscan.images.rules import Rules
from batchscan.model import Candidate, Image, NotSendable, Stat
from tests.support.pictures import animated_gif, at, dng, ico, jpeg, png, tree


@pytest.fixture
def inspected(judge):
    def run(path: str, rules: Rules | None = None, *, explicit: bool = False, follow: bool = False):
        candidate = Candidate(path, None, explicit)
        return inspect(candidate, judge, rules or Rules(), follow=follow)

    return run


def test_what_is_hashed_is_what_is_judged_is_what_is_sent(inspected, tmp_path):
    tree(tmp_path, {"a/photo.png": png(8, 8)})

    image = inspected(at(tmp_path, "a/photo.png"))

    assert isinstance(image, Image)
    assert image.data == png(8, 8)
    assert image.sha256 == hashlib.sha256(png(8, 8)).hexdigest()
    assert image.stat == Stat.of((tmp_path / "a/photo.png").stat())
    assert (image.format, image.width, image.height) == ("png", 8, 8)
    assert (image.content_type, image.file_name) == ("image/png", "photo.png")


def test_bytes_that_were_inspected_before_are_not_judged_again_and_others_are(inspected, tmp_path):
    path = at(tree(tmp_path, {"photo.jpg": jpeg(20, 10)}), "photo.jpg")
    before = inspected(path)
    assert isinstance(before, Image)
    candidate = Candidate(path, None, inspected=replace(before, data=b""))
    strict = Judge(Rules(max_pixels=1))

    again = inspect(candidate, strict, Rules())
    Path(path).write_bytes(jpeg(30, 10))
    changed = inspect(candidate, strict, Rules())

    assert again == before, "whatever this judge says"
    assert isinstance(changed, NotSendable)
    assert (changed.reason, changed.width) == (RejectReason.TOO_MANY_PIXELS, 30)


def test_a_wrong_name_is_put_right_for_the_service(inspected, tmp_path):
    tree(tmp_path, {"photo.png": jpeg()})

    image = inspected(at(tmp_path, "photo.png"))

    assert image.file_name == "photo.jpg"
    assert image.path.endswith("photo.png")
    assert image.warnings == ("extension_mismatch: named .png, the content is JPEG",)


def test_a_name_that_is_not_utf8_is_read_and_sent_under_a_clean_one(inspected, tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.gif"
    Path(os.fsdecode(path)).write_bytes(animated_gif())

    image = inspected(os.fsdecode(path))

    assert isinstance(image, Image)
    assert image.file_name == "caf_.gif"


def test_a_refusal_keeps_what_was_learned(inspected, tmp_path):
    tree(tmp_path, {"a.png": png()[:900]})

    refused = inspected(at(tmp_path, "a.png"))

    assert isinstance(refused, NotSendable)
    assert refused.reason is RejectReason.CORRUPT
    assert refused.sha256 == hashlib.sha256(png()[:900]).hexdigest()
    assert (refused.format, refused.width, refused.height) == ("png", 64, 48)
    assert refused.stat is not None
    assert refused.stat.size == 900


def test_an_empty_file_is_refused_by_its_size(inspected, tmp_path):
    tree(tmp_path, {"a.png": b""})

    assert inspected(at(tmp_path, "a.png")).reason is RejectReason.EMPTY


def test_a_file_of_exactly_the_limit_is_too_large_and_is_not_read(inspected, tmp_path):
    tree(tmp_path, {"a.png": png()})
    size = len(png())

    assert isinstance(inspected(at(tmp_path, "a.png"), Rules(max_bytes=size + 1)), Image)
    refused = inspected(at(tmp_path, "a.png"), Rules(max_bytes=size))
    assert refused.reason is RejectReason.TOO_LARGE
    assert refused.sha256 is None


@pytest.mark.parametrize(
    ("size", "figure", "mebibytes"),
    [
        (20_000_000, "20.0 MB (20,000,000 bytes)", True),
        (20_971_519, "21.0 MB (20,971,519 bytes)", True),
        (20_971_520, "21.0 MB (20,971,520 bytes)", False),
        (21_300_000, "21.3 MB (21,300,000 bytes)", False),
    ],
)
def test_the_refusal_of_a_large_file_says_how_much_is_taken(
    inspected, tmp_path, size, figure, mebibytes
):
    path = tmp_path / "a.png"
    with path.open("wb") as file:
        file.truncate(size)

    detail = inspected(str(path)).detail

    assert detail.startswith(figure)
    assert "less than 20 MB (20,000,000 bytes)" in detail
    assert ("20 MiB" in detail) is mebibytes


def test_a_file_that_is_gone_has_vanished(inspected, tmp_path):
    assert inspected(at(tmp_path, "none.png")).reason is FailReason.VANISHED


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_unreadable(inspected, tmp_path):
    tree(tmp_path, {"a.png": png()})
    (tmp_path / "a.png").chmod(0)

    found = inspected(at(tmp_path, "a.png"))

    assert found.reason is FailReason.UNREADABLE
    assert "Permission denied" in found.detail


def test_what_is_no_regular_file_is_unreadable_and_never_waited_for(inspected, tmp_path):
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(at(tmp_path, "socket.png"))

    assert "a folder" in inspected(at(tmp_path, "folder.png")).detail
    assert "not a regular file" in inspected(at(tmp_path, "pipe.png")).detail
    for name in ("folder.png", "pipe.png", "socket.png"):
        assert inspected(at(tmp_path, name)).reason is FailReason.UNREADABLE


def test_a_link_is_followed_only_where_it_was_asked_for(inspected, tmp_path):
    tree(tmp_path, {"a.png": png()})
    (tmp_path / "link.png").symlink_to("a.png")
    link = at(tmp_path, "link.png")

    refused = inspected(link)

    assert refused.reason is FailReason.UNREADABLE
    assert "--follow-symlinks" in refused.detail
    assert isinstance(inspected(link, explicit=True), Image)
    assert isinstance(inspected(link, follow=True), Image)


def test_a_file_that_does_not_hold_what_stat_says_has_changed(inspected):
    # sysfs says one page for files that hold a few bytes.
    path = "/sys/kernel/mm/transparent_hugepage/enabled"
    if not Path(path).exists():
        pytest.skip("no sysfs here")

    assert inspected(path).reason is FailReason.CHANGED_WHILE_READING


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (png(), kinds.PNG),
        (dng(), kinds.TIFF),
        (b"%PDF-1.4", None),
        (b"plain text", None),
        (b"", None),
    ],
    ids=["png", "dng", "pdf", "text", "empty"],
)
def test_a_file_without_an_extension_is_known_by_its_first_bytes(tmp_path, data, kind):
    tree(tmp_path, {"file": data})

    assert inspect_head(at(tmp_path, "file")) is kind


def test_looking_at_a_head_never_waits(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    tree(tmp_path, {"a": png()})
    (tmp_path / "link").symlink_to("a")

    assert pictures_of([str(tmp_path / name) for name in ("none", "a/none", "link", "a")]) == [
        False,
        False,
        False,
        True,
    ]
    assert inspect_head(at(tmp_path, "pipe")) is None
    assert inspect_head(os.fsencode(tmp_path)) is None
    assert inspect_head(at(tmp_path, "link"), follow=True) is kinds.PNG


def test_a_name_that_holds_a_nul_is_unreadable(inspected):
    found = inspected("/p/a\0b.png", explicit=True)

    assert isinstance(found, NotSendable)
    assert (found.reason, "NUL byte" in found.detail) == (FailReason.UNREADABLE, True)


@pytest.mark.parametrize(
    "head",
    [
        b"\0\0\1\0" + bytes(range(1, 200)),
        b"\0\0\1\0\1\0" + bytes(500),
        b"\0\0\2\0\3\0" + b"\xff" * 500,
        b"\0\0\1\0",
    ],
)
def test_a_binary_that_begins_as_icons_do_is_none_without_a_directory(tmp_path, head):
    tree(tmp_path, {"firmware.v2": head, "icon.v2": ico(), "bitmap.v2": ico(form="bmp")})

    assert inspect_head(at(tmp_path, "firmware.v2")) is None
    assert inspect_head(at(tmp_path, "icon.v2")) is kinds.ICO
    assert inspect_head(at(tmp_path, "bitmap.v2")) is kinds.ICO
