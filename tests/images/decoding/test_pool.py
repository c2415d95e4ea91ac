import io
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from batchscan.enums import RejectReason
from batchscan.images import kinds
from batchscan.images.decoding.pool import Decoders
from batchscan.images.decoding.process import DecoderDied, FileSource
from batchscan.images.rules import RuleViolation
from batchscan.util.weighted_semaphore import WeightedSemaphore
from tests.support import pictures

LIMIT = 75_000_000


@pytest.fixture
def process() -> Iterator[Decoders]:
    child = Decoders(1)
    yield child
    child.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[Decoders]:
    """For tests that leave the child as they found it."""
    child = Decoders(1)
    yield child
    child.close()


def _ask(process: Decoders):
    return process.examine_raw(pictures.dng(), unpack=True, max_pixels=LIMIT)


def _script(text: str, seconds: float = 60.0) -> Decoders:
    return Decoders(1, command=[sys.executable, "-c", text], seconds=seconds)


def test_one_child_serves_many_files_and_ends_with_close(process):
    assert _ask(process).opened
    (first,) = process.pids
    assert _ask(process).width == 64
    assert process.pids == [first]

    process.close()

    assert not process.pids
    with pytest.raises(DecoderDied, match="closed"):
        _ask(process)


def test_threads_take_turns(shared):
    reports = []
    threads = [threading.Thread(target=lambda: reports.append(_ask(shared))) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [report.opened for report in reports] == [True] * 4


def test_a_child_that_died_between_two_files_is_replaced(process):
    _ask(process)
    (first,) = process.pids
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)

    assert _ask(process).opened
    assert process.pids != [first]


def test_a_picture_that_takes_too_long_ends_the_child():
    hanging = _script("import time; time.sleep(60)", seconds=0.2)

    with pytest.raises(DecoderDied, match=r"took longer than 0\.2 s"):
        _ask(hanging)
    assert not hanging.pids


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("import os; os.abort()", "killed by signal 6"),
        ("raise SystemExit(3)", "exit code 3"),
        (
            "import os; os.write(0, b'nonsense'); os.read(0, 9); import time; time.sleep(60)",
            "killed by signal 9",
        ),
    ],
)
def test_a_child_that_fails_is_reaped_and_its_end_reported(text, how):
    failing = _script(text)

    with pytest.raises(DecoderDied, match=how):
        _ask(failing)
    assert not failing.pids


def test_a_child_that_cannot_be_started_is_reported_like_one_that_died():
    with pytest.raises(DecoderDied, match="could not be started"):
        _ask(Decoders(1, command=["/nonexistent/python"]))


def test_close_does_not_wait_for_a_picture_under_way():
    hanging = _script("import time; time.sleep(60)")
    errors = []

    def ask() -> None:
        try:
            _ask(hanging)
        except DecoderDied as error:
            errors.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    while not hanging.pids:
        time.sleep(0.01)
    hanging.close()
    thread.join(5)

    assert errors == ["the decoder ended without an answer (killed by signal 9)"]


def test_no_credentials_reach_the_child(monkeypatch):
    monkeypatch.setenv("COPYLEAKS_API_KEY", "a-secret")
    notifier = _script(
        "import json, os, time\n"
        "said = json.dumps({'raw': {'error': repr(dict(os.environ))}}).encode()\n"
        "os.write(0, len(said).to_bytes(4, 'big') + said)\n"
        "time.sleep(60)"
    )

    report = _ask(notifier)
    notifier.close()

    assert report.error is not None
    assert "PATH" in report.error
    assert "secret" not in report.error
    assert "COPYLEAKS" not in report.error


def test_nothing_is_imported_from_the_working_folder(process, tmp_path, monkeypatch):
    pictures.tree(tmp_path, {"rawpy.py": b"raise SystemExit", "struct.py": b"raise SystemExit"})
    monkeypatch.chdir(tmp_path)

    assert _ask(process).opened


def test_signals_meant_for_the_parent_do_not_end_the_child(shared):
    _ask(shared)
    (child,) = shared.pids
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(child, number)

    assert _ask(shared).opened
    assert shared.pids == [child]


def test_the_child_ends_when_its_parent_is_killed():
    program = (
        "import os, signal\n"
        "from batchscan.images.decoding.pool import Decoders\n"
        "process = Decoders(1)\n"
        "process.examine_raw(b'FOVb', unpack=True, max_pixels=1)\n"
        "print(*process.pids, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    child = int(done.stdout)

    assert done.returncode == -signal.SIGKILL
    for _ in range(500):
        if _gone(child):
            return
        time.sleep(0.01)
    pytest.fail("the child outlived its parent")


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/stat")  # what nobody has reaped yet is gone all the same
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"


def _tiff(w: int, h: int) -> bytes:
    return pictures.encoded(Image.new("L", (w, h)), "TIFF", compression="tiff_lzw")


def test_a_picture_that_would_not_fit_the_memory_is_rejected_and_the_next_is_not(monkeypatch):
    small = Decoders(1, command=[sys.executable, "-c", SMALL])
    with pytest.raises(RuleViolation) as refused:
        small.convert(kinds.TIFF, FileSource(_tiff(12_000, 10_000)))
    made = small.convert(kinds.TIFF, FileSource(_tiff(100, 50)))
    small.close()

    assert refused.value.reason is RejectReason.TOO_MANY_PIXELS
    assert "12000x10000 needs more memory" in refused.value.detail
    assert (made.width, made.height, made.source_width) == (100, 50, 100)


SMALL = "from batchscan.images.decoding import child\nchild.MEMORY = 60_000_000\nchild.main()\n"


def test_several_are_decoded_at_once_within_the_pixels_that_are_allowed():
    held, most = [0], [0]

    class Watched(WeightedSemaphore):
        @contextmanager
        def hold(self, weight):
            with super().hold(weight):
                held[0] += weight
                most[0] = max(most[0], held[0])
                try:
                    yield
                finally:
                    held[0] -= weight

    pool = Decoders(3, pixels=Watched(2 * 600 * 500))
    data = _tiff(600, 500)
    with ThreadPoolExecutor(6) as threads:
        made = list(threads.map(lambda _: pool.convert(kinds.TIFF, FileSource(data)), range(12)))
    started = len(pool.pids)
    pool.close()

    assert [each.width for each in made] == [600] * 12
    assert 1 < started <= 3
    assert 600 * 500 <= most[0] <= 2 * 600 * 500


def test_an_open_file_is_decoded_from_its_descriptor(shared, tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(_tiff(64, 48))
    with path.open("rb") as file:
        file.read(100)  # wherever it stands
        first = shared.convert(kinds.TIFF, FileSource(descriptor=file.fileno()))
        again = shared.convert(kinds.TIFF, FileSource(descriptor=file.fileno()))

    assert first == again
    assert (first.source_width, first.source_height) == (64, 48)


def test_more_pixels_than_are_decoded_are_refused_by_their_number(shared):
    with pytest.raises(RuleViolation, match="200,000,000 at most") as refused:
        shared.convert(kinds.PSD, FileSource(HUGE))

    assert refused.value.reason is RejectReason.TOO_MANY_PIXELS
    assert shared.convert(kinds.TIFF, FileSource(_tiff(8, 8))).width == 8


HUGE = b"8BPS\0\2" + bytes(6) + struct.pack(">HIIHH", 3, 300_000, 300_000, 8, 3) + bytes(40)


@settings(max_examples=60)
@given(
    kind=st.sampled_from([kinds.HEIC, kinds.AVIF, kinds.TIFF, kinds.PSD, kinds.JXL, kinds.JP2]),
    noise=st.binary(max_size=300),
)
def test_noise_behind_any_signature_is_refused_by_the_same_living_child(shared, kind, noise):
    with pytest.raises(RuleViolation) as refused:
        shared.convert(kind, FileSource(SIGNATURES[kind.name] + noise))

    assert isinstance(refused.value.reason, RejectReason), refused.value.detail


SIGNATURES = {
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "avif": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf",
    "tiff": b"II*\0\x08\0\0\0",
    "psd": b"8BPS\0\1",
    "jxl": b"\xff\x0a",
    "jp2": b"\0\0\0\x0cjP  \r\n\x87\n",
}


def test_a_heic_that_claims_more_parts_than_any_has_is_corrupt_not_a_lack_of_memory(shared):
    heif = pytest.importorskip("pillow_heif")
    out = io.BytesIO()
    heif.from_pillow(Image.new("RGB", (64, 48))).save(out)
    data = bytearray(out.getvalue())
    count = data.index(b"iinf") + 8
    data[count : count + 2] = b"\xff\xff"

    with pytest.raises(RuleViolation, match="exceeds the security limit") as refused:
        shared.convert(kinds.HEIC, FileSource(bytes(data)))
    assert refused.value.reason is RejectReason.CORRUPT


def test_directories_of_a_tiff_that_lead_in_a_circle_end(shared):
    data = bytearray(_tiff(16, 16))
    start = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[start : start + 2], "little")
    data[start + 2 + 12 * count : start + 6 + 12 * count] = start.to_bytes(4, "little")

    assert shared.convert(kinds.TIFF, FileSource(bytes(data))).width == 16
