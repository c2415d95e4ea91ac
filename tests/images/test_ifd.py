import struct

from hypothesis import given
from hypothesis import strategies as st

from batchscan.images.metadata.ifd import Directory, directories, is_dng, main_picture
from tests.support import pictures


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
    preview = Directory({256: (6000,), 257: (4000,), 262: (6,)})
    sensor = Directory({256: (3000,), 257: (2000,), 262: (32803,)})

    assert main_picture([preview, sensor]) is sensor
    assert main_picture([]) is None


def test_a_loop_of_directories_ends():
    looped = b"II*\0" + struct.pack("<IHI", 8, 0, 8)

    assert directories(looped) == [Directory({})]


def test_both_byte_orders_and_tiles_are_read():
    entries = struct.pack(">HHII", 324, 4, 1, 100) + struct.pack(">HHII", 325, 4, 1, 50)
    data = b"MM\0*" + struct.pack(">IH", 8, 2) + entries + bytes(4)

    assert directories(data)[0].end() == 150


def test_directories_inside_directories_are_found():
    inner = struct.pack("<HHHIII", 1, 256, 4, 1, 77, 0)
    outer = struct.pack("<HHHIII", 1, 330, 4, 1, 26, 0)

    assert [found.width for found in directories(b"II*\0\x08\0\0\0" + outer + inner)] == [0, 77]


@given(st.binary(max_size=200), st.sampled_from([b"II*\0", b"MM\0*", b""]))
def test_any_bytes_can_be_read(rest, magic):
    for directory in directories(magic + rest):
        assert directory.end() >= 0


@given(st.integers(0, 6461), st.integers(0, 255))
def test_one_wrong_byte_is_never_an_exception(position, value):
    data = bytearray(pictures.dng())
    data[position % len(data)] = value

    directories(bytes(data))
