import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.images.metadata import ifd
from batchscan.images.metadata.ifd import Directory, main_picture
from tests.support import pictures
from tests.support.colours import tiff


def directories(data: bytes) -> list[Directory]:
    return ifd.directories(ifd.reads_bytes(data))


def is_dng(data: bytes) -> bool:
    return ifd.is_dng(ifd.reads_bytes(data))


def test_a_raws_directory_shows_size_and_where_its_data_ends():
    found = main_picture(directories(pictures.dng(64, 48)))

    assert found is not None
    assert (found.width, found.height) == (64, 48)
    assert found.end() == 8 + 2 * 64 * 48
    assert found.is_sensor_data


def test_only_the_version_tag_makes_a_tiff_a_dng():
    assert is_dng(pictures.dng())
    assert not is_dng(pictures.dng(t50706=None))
    assert not is_dng(pictures.tiff())


def test_sensor_data_counts_before_a_larger_preview():
    preview, sensor = (
        directories(tiff({256: [width], 257: [width // 2], 262: [kind]}, [b""]))[0]
        for width, kind in ((6000, 6), (3000, 32803))
    )

    assert main_picture([preview, sensor]) is sensor
    assert main_picture([]) is None


def test_a_loop_of_directories_ends():
    looped = b"II*\0" + struct.pack("<IHI", 8, 0, 8)

    assert [found.entries for found in directories(looped)] == [{}]
    assert len(list(ifd.chain(ifd.reads_bytes(looped)))) == 1


def test_both_byte_orders_and_tiles_are_read():
    entries = struct.pack(">HHII", 324, 4, 1, 100) + struct.pack(">HHII", 325, 4, 1, 50)
    data = b"MM\0*" + struct.pack(">IH", 8, 2) + entries + bytes(4)

    assert directories(data)[0].end() == 150


def test_directories_inside_directories_are_found():
    inner = struct.pack("<HHHIII", 1, 256, 4, 1, 77, 0)
    outer = struct.pack("<HHHIII", 1, 330, 4, 1, 26, 0)

    assert [found.width for found in directories(b"II*\0\x08\0\0\0" + outer + inner)] == [0, 77]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_the_same_tags_are_read_in_either_width_and_order(order, big):
    data = tiff(
        {256: [77], 258: [8, 8, 8], 700: b"<x:xmpmeta/>"}, [b"pixels"], order=order, big=big
    )
    (found,) = directories(data)

    assert (found.width, found.numbers(258), found.value(700)) == (77, (8, 8, 8), b"<x:xmpmeta/>")
    assert data[found.end() - 6 : found.end()] == b"pixels"
    assert (found.first(274, 1), found.numbers(274), found.value(274)) == (1, (), b"")


def test_a_file_is_read_as_its_bytes_are(tmp_path):
    path = tmp_path / "one.dng"
    path.write_bytes(pictures.dng())
    with path.open("rb") as file:
        found = ifd.directories(ifd.reads_file(file))
        assert [each.entries for each in found] == [
            each.entries for each in directories(pictures.dng())
        ]
        assert [each.end() for each in found] == [
            each.end() for each in directories(pictures.dng())
        ]
        assert ifd.reads_file(file)(2**70, 5) == b""


@given(
    st.binary(max_size=200),
    st.sampled_from([b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"IIU\0", b""]),
)
def test_any_bytes_can_be_read(rest, magic):
    for directory in directories(magic + rest):
        assert directory.end() >= 0
        for tag in directory.entries:
            directory.numbers(tag), directory.value(tag)


@given(st.integers(0, 6461), st.integers(0, 255))
def test_one_wrong_byte_is_never_an_exception(position, value):
    data = bytearray(pictures.dng())
    data[position % len(data)] = value

    directories(bytes(data))
