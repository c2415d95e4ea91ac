from __future__ import annotations

import io
import random
import struct
import tempfile
import time
import tracemalloc
import zipfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchscan.evidence.manifest import (
    MANIFEST,
    SUMS,
    Manifest,
    PackedFile,
    describe_file,
    encode,
    entry,
    sum_line,
)
from batchscan.evidence.verify import Verification, verify
from tests.support.evidence_ledgers import members, rezipped

SAME_PACK = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def checked(path: Path, manifest_sha256: str | None = None) -> Verification:
    with open(path, "rb") as file:
        return verify(file, manifest_sha256)


def faults(path: Path, manifest_sha256: str | None = None) -> list[tuple[str, str]]:
    return [(fault.what, fault.name) for fault in checked(path, manifest_sha256).faults]


def details(path: Path) -> str:
    return "\n".join(fault.detail for fault in checked(path).faults)


def lists(manifest: Manifest, listed: list[PackedFile]) -> dict[str, bytes]:
    """A manifest that lists these files, and the list for sha256sum that goes with it."""
    bare = msgspec.structs.replace(manifest, files=[])
    forged = b"".join(encode(bare, [b"".join(map(entry, listed))]))
    lines = b"".join(map(sum_line, (*listed, describe_file(MANIFEST, forged))))
    return {MANIFEST: forged, SUMS: lines}


def with_manifest(files: dict[str, bytes]) -> dict[str, bytes]:
    """The same files with lists that agree with them: what a forger makes."""
    manifest = msgspec.json.decode(files[MANIFEST], type=Manifest)
    kept = {name: data for name, data in files.items() if name not in (MANIFEST, SUMS)}
    listed = [describe_file(name, data) for name, data in kept.items()]
    return {**kept, **lists(manifest, listed)}


def test_an_unchanged_pack_is_intact(pack_file):
    found = checked(pack_file)

    assert found.faults == ()
    assert found.manifest is not None
    assert found.manifest.answers == 3
    assert found.manifest_sha256 == describe_file(MANIFEST, members(pack_file)[MANIFEST]).sha256


def test_any_byte_that_changes_in_any_file_is_named(pack_file):
    files = members(pack_file)
    chance = random.Random(1)
    for name, data in files.items():
        places = [0, len(data) - 1, *(chance.randrange(len(data)) for _ in range(4))]
        for place in places:
            changed = bytearray(data)
            changed[place] ^= 1 << chance.randrange(8)
            rezipped(pack_file, {**files, name: bytes(changed)})
            assert ("altered", name) in faults(pack_file), (name, place)


@SAME_PACK
@given(st.data())
def test_whatever_changes_in_the_zip_itself_is_reported_or_changes_no_file(
    pack_file, tmp_path, data
):
    whole = pack_file.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    cut = data.draw(st.booleans())
    byte = data.draw(st.integers(0, 255))
    path = tmp_path / "changed.zip"
    path.write_bytes(whole[:place] + (b"" if cut else bytes([byte]) + whole[place + 1 :]))

    if not faults(path):
        assert members(path) == members(pack_file)


@pytest.mark.parametrize("part", ["answers/", "pictures/", "runs/", "README.txt", MANIFEST, SUMS])
def test_a_file_that_is_missing_is_named(pack_file, part):
    files = members(pack_file)
    gone = next(name for name in files if name.startswith(part))
    rezipped(pack_file, {name: data for name, data in files.items() if name != gone})

    assert faults(pack_file) == [("missing", gone)]


@pytest.mark.parametrize(
    "name", ["answers/more.json", "../../etc/passwd", "/etc/passwd", "a\\b", "a/b/c", "é.txt", "d/"]
)
def test_a_file_that_was_added_is_named(pack_file, name):
    rezipped(pack_file, {**members(pack_file), name: b"x"})

    assert faults(pack_file) == [("added", name)]


def test_a_file_that_is_in_there_twice_is_named(pack_file):
    name = next(iter(members(pack_file)))
    with zipfile.ZipFile(pack_file, "a") as opened, pytest.warns(UserWarning, match="Duplicate"):
        opened.writestr(name, b"another")

    assert ("added", name) in faults(pack_file)
    assert ("altered", name) in faults(pack_file)


def test_a_name_with_a_nul_does_not_pass_for_the_name_before_it(pack_file):
    data = pack_file.read_bytes()
    rezipped(pack_file, {**members(pack_file), "README.txtXmore": b"x"})
    pack_file.write_bytes(pack_file.read_bytes().replace(b"README.txtX", b"README.txt\0"))

    assert pack_file.read_bytes() != data
    assert faults(pack_file) == [("added", "README.txt\0more")]


def test_a_comment_is_named(pack_file):
    with zipfile.ZipFile(pack_file, "a") as opened:
        opened.comment = b"trust me"

    assert faults(pack_file) == [("added", "the zip file")]


def test_a_rebuilt_pack_passes_except_against_the_recorded_number(pack_file):
    kept = checked(pack_file).manifest_sha256
    forged = {name: data.replace(b"example.com", b"example.org") for name, data in members(pack_file).items()}  # fmt: skip
    rezipped(pack_file, with_manifest(forged))

    assert faults(pack_file) == []
    assert faults(pack_file, kept) == [("altered", MANIFEST)]
    again = checked(pack_file).manifest_sha256
    assert again is not None
    assert faults(pack_file, again.upper()) == []


def test_lists_that_disagree_are_reported_with_what_they_disagree_about(pack_file):
    files = members(pack_file)
    lines = files[SUMS].splitlines(keepends=True)
    other = [b"0" * 64 + lines[0][64:], *lines[1:]]
    rezipped(pack_file, {**files, SUMS: b"".join(other)})
    assert faults(pack_file) == [("altered", SUMS)]
    assert details(pack_file).endswith(f"about {lines[0][66:-1].decode()}")

    rezipped(pack_file, {**files, SUMS: files[SUMS] + lines[0]})
    assert faults(pack_file) == [("altered", SUMS)]


def test_which_list_was_altered_is_known_where_the_manifests_number_is(pack_file):
    kept = checked(pack_file).manifest_sha256
    files = members(pack_file)
    rezipped(pack_file, {**files, SUMS: files[SUMS].replace(str(kept).encode(), b"0" * 64)})

    assert faults(pack_file) == [("altered", MANIFEST), ("altered", SUMS)]
    assert faults(pack_file, kept) == [("altered", SUMS)]


@pytest.mark.parametrize(
    "manifest",
    [b"", b"nothing", b"{}", b"[]", b"\xff\xfe", b'{"schema": 2}', b'{"x":' + b"[" * 100_000],
)
def test_a_manifest_that_is_none_is_reported(pack_file, manifest):
    rezipped(pack_file, {**members(pack_file), MANIFEST: manifest})

    assert faults(pack_file) == [("altered", MANIFEST)]


def test_a_manifest_that_lists_a_file_twice_or_itself_is_reported(pack_file):
    files = members(pack_file)
    manifest = msgspec.json.decode(files[MANIFEST], type=Manifest)
    listed = [*manifest.files, manifest.files[0], describe_file(SUMS, b"")]
    rezipped(pack_file, {**files, **lists(manifest, listed)})

    assert ("altered", MANIFEST) in faults(pack_file)


def test_an_absurd_size_in_a_manifest_does_no_harm(pack_file):
    files = members(pack_file)
    manifest = msgspec.json.decode(files[MANIFEST], type=Manifest)
    listed = [msgspec.structs.replace(each, bytes=2**63 - 1) for each in manifest.files]
    rezipped(pack_file, {**files, **lists(manifest, listed)})

    assert faults(pack_file) == [("altered", each.name) for each in listed]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bytes", "-1"),
        ("sha256", '"0"'),
        ("name", '"../x"'),
        ("name", '"\\ud800"'),
        ("name", '"a\\n"'),
    ],
)
def test_an_entry_that_none_of_ours_looks_like_is_reported(pack_file, field, value):
    entry = {"bytes": "1", "sha256": f'"{"0" * 64}"', "name": '"x"'} | {field: value}
    text = ",".join(f'"{key}":{text}' for key, text in entry.items())
    files = members(pack_file)
    forged = files[MANIFEST].replace(b'"files": [', f'"files": [{{{text}}},'.encode())
    rezipped(pack_file, {**files, MANIFEST: forged})

    assert faults(pack_file) == [("altered", MANIFEST)]


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"nothing at all" * 100, b"PK\x05\x06" + bytes(18)]
)
def test_a_file_that_is_not_a_pack_is_reported(tmp_path, content):
    (tmp_path / "no.zip").write_bytes(content)

    ((what, _),) = faults(tmp_path / "no.zip")
    assert what in ("altered", "missing")


def test_encrypted_and_oddly_compressed_files_are_reported_and_not_read(pack_file):
    files = members(pack_file)
    name = next(iter(files))
    data = pack_file.read_bytes()
    flags = struct.Struct("<H")
    changed = bytearray(data)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(mark) + place
        changed[at : at + 2] = flags.pack(1)
    pack_file.write_bytes(changed)
    assert "encrypted" in details(pack_file)

    for method in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        with zipfile.ZipFile(pack_file, "w") as opened:
            for each, content in files.items():
                kind = method if each == name else zipfile.ZIP_DEFLATED
                opened.writestr(each, content, compress_type=kind)
        assert faults(pack_file) == [("altered", name)]
        assert "compressed in a way" in details(pack_file)


def measured(path: Path) -> tuple[str, int, float]:
    """What is said of a file, the memory that took, and the seconds."""
    started = time.process_time()
    tracemalloc.start()
    said = details(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return said, peak, time.process_time() - started


def test_a_bomb_is_read_no_further_than_its_manifest_says(pack_file):
    files = members(pack_file)
    name = next(iter(files))
    rezipped(pack_file, {**files, name: bytes(60_000_000)})

    said, peak, seconds = measured(pack_file)

    assert said == f"it has more than the {len(files[name]):,} bytes that were packed"
    assert peak < 10_000_000
    assert seconds < 1


@pytest.mark.parametrize("name", [MANIFEST, SUMS])
def test_a_gigantic_list_is_not_read_whole(pack_file, monkeypatch, name):
    monkeypatch.setattr("batchscan.evidence.verify.MAX_MANIFEST", 1_000_000)
    rezipped(pack_file, {**members(pack_file), name: b" " * 40_000_000})

    said, peak, _ = measured(pack_file)

    assert "it has more than" in said
    assert peak < 20_000_000


def test_a_directory_that_lists_one_file_many_times_is_reported(pack_file):
    with zipfile.ZipFile(pack_file, "a") as opened:
        opened.writestr("answers/big.json", random.Random(1).randbytes(50_000))
        opened.filelist += [opened.filelist[-1]] * 1000

    said, _, seconds = measured(pack_file)
    assert said == "its files overlap"
    assert seconds < 1


def test_a_directory_larger_than_any_packs_is_not_read(pack_file, monkeypatch):
    monkeypatch.setattr("batchscan.evidence.pack_reader.MAX_DIRECTORY", 400)

    assert "is too large for a pack" in details(pack_file)


@pytest.mark.parametrize("mark", [b"PK\x05\x06", b"PK\x06\x06"])
def test_a_directory_that_lies_about_its_size_is_reported(pack_file, mark):
    data = bytearray(pack_file.read_bytes())
    end = data.index(b"PK\x05\x06")
    if mark == b"PK\x06\x06":  # the form for large files, which counts if it is there
        claims = 2**62, 0
        record = struct.pack("<4sQ2H2L4Q", mark, 44, 45, 45, 0, 0, 9, 9, *claims)
        data[end:end] = record + struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    else:
        struct.pack_into("<L", data, end + 12, 2**32 - 2)
    pack_file.write_bytes(data)

    said, peak, _ = measured(pack_file)
    assert "its directory" in said or "not a zip file" in said
    assert peak < 50_000_000


@settings(max_examples=200)
@given(st.binary(max_size=400), st.binary(max_size=60))
def test_any_bytes_are_reported_and_never_raised(start, end):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        opened.writestr("manifest.json", end)
    for content in (start, start + b"PK\x05\x06" + end, start + buffer.getvalue() + end):
        with tempfile.TemporaryFile() as file:
            file.write(content)
            file.flush()
            assert verify(file).faults
