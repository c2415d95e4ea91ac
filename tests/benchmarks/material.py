"""Pictures by the thousand, and a ledger that knows a million, for measuring."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
from pathlib import Path

from PIL import Image

from batchscan import model
from batchscan.enums import MatchKind
from batchscan.ledger import Ledger, Realm
from batchscan.results import line_of
from batchscan.runs.answer_lines import without_answer
from tests.support.settling import settle

A_COMMIT = 10_000
QUANTIZATION = b"\xff\xdb"  # the segment of a JPEG that its finest detail is scaled by
DIGITS = (16**2, 16, 1)  # of a picture's number, in that table


def photograph(width: int, height: int, quality: int, seed: int = 0) -> bytes:
    """A baseline JPEG with the detail of a photograph: soft colours under fine noise."""
    chance = random.Random(seed)
    soft = Image.frombytes("RGB", (16, 12), chance.randbytes(16 * 12 * 3))
    soft = soft.resize((width, height), Image.Resampling.BICUBIC)
    grain = Image.effect_noise((width, height), 24).convert("RGB")
    buffer = io.BytesIO()
    Image.blend(soft, grain, 0.35).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def distinct(data: bytes, number: int) -> bytes:
    """The same JPEG with other fine detail: one that stays another picture without its metadata."""
    table = data.index(QUANTIZATION) + 5
    last = table + 64 - len(DIGITS)
    scales = bytes(data[last + n] + number // unit % 16 for n, unit in enumerate(DIGITS))
    return data[:last] + scales + data[table + 64 :]


def photographs(folder: Path, count: int, data: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"{number:06}.jpg").write_bytes(distinct(data, number))


def stubs(folder: Path, count: int, per_folder: int) -> None:
    """Files with a picture's name and a few bytes: found, rejected once, unchanged ever after."""
    below = folder
    for number in range(count):
        if number % per_folder == 0:
            below = folder / f"{number // per_folder:05}"
            below.mkdir(parents=True)
        descriptor = os.open(f"{below}/{number:07}.jpg", os.O_WRONLY | os.O_CREAT, 0o644)
        os.write(descriptor, b"not a picture")
        os.close(descriptor)


def killed_run(state: Path, url: str, count: int) -> None:
    """A ledger with a run that was killed after `count` answers, one in ten with matches."""
    state.mkdir(parents=True, mode=0o700)
    ledger = Ledger.open(state, Realm(url, sandbox=False))
    run_id = "20260101T000000Z-benchmark"
    with ledger.transaction():
        ledger.runs.begin(run_id, str(state.parent / "output" / run_id), 1_700_000_000.0)
    for start in range(0, count, A_COMMIT):
        with ledger.transaction():
            for number in range(start, min(count, start + A_COMMIT)):
                _answer(ledger, run_id, number)
    ledger.close()


def library(work: Path, url: str, count: int, each: int) -> None:
    """A ledger that has the answers to `count` files below `work/images`, each with matches."""
    stubs(work / "images", count, 1_000)
    state = work / "state"
    state.mkdir(parents=True, mode=0o700)
    ledger = Ledger.open(state, Realm(url, sandbox=False))
    run_id = "20260101T000000Z"
    with ledger.transaction():
        ledger.runs.begin(run_id, str(work / "output" / "runs" / run_id), 1_700_000_000.0)
    for folder in sorted((work / "images").iterdir()):
        with ledger.transaction():
            for file in sorted(folder.iterdir()):
                _known(ledger, run_id, file, each)
    ledger.close()


def _known(ledger: Ledger, run_id: str, file: Path, each: int) -> None:
    number, status = int(file.stem), file.stat()
    stat = model.Stat(status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    digest = hashlib.sha256(number.to_bytes(8, "big")).hexdigest()
    image = model.Image(str(file), stat, b"", digest, "jpeg", 950, 700, "image/jpeg", file.name)
    hosts = [f"site{(number * each + n) % 2_000}.example" for n in range(each)]
    matches = tuple(
        model.Match(
            f"https://{host}/{number}/{n}.jpg", MatchKind.FULL, (f"https://{host}/{n}",), host
        )
        for n, host in enumerate(hosts)
    )
    answer = model.Answer(b"{}", 1_700_000_000.0, 1, 1, None, matches)
    claim = ledger.claims.open(image, 1, run_id, 1_700_000_000.0)
    settle(ledger, claim, answer, run_id)
    ledger.files.upsert(str(file), stat, picture_id=claim.picture_id)


def _answer(ledger: Ledger, run_id: str, number: int) -> None:
    digest = hashlib.sha256(number.to_bytes(8, "big")).hexdigest()
    path = f"/library/{number // 1_000:05}/{number:07}.jpg"
    stat = model.Stat(200_000, number, number)
    image = model.Image(path, stat, b"", digest, "jpeg", 950, 700, "image/jpeg", "a.jpg")
    urls = [f"https://site{number % 5_000}.example/{number}/{n}" for n in range(3)]
    urls = urls if number % 10 == 0 else []
    internet = [{"url": url, "matchType": 0} for url in urls]
    score = {"totalMatches": len(urls), "fullMatches": len(urls), "partialMatches": 0}
    body = json.dumps({"matches": {"internet": internet, "score": score}}).encode()
    matches = tuple(model.Match(url, MatchKind.FULL, (), url.split("/")[2]) for url in urls)
    answer = model.Answer(body, 1_700_000_000.0, 1, 1, None, matches)
    claim = ledger.claims.open(image, 1, run_id, 1_700_000_000.0)
    answer_id = settle(ledger, claim, answer, run_id)
    ledger.files.upsert(path, stat, picture_id=claim.picture_id)
    subject = model.Subject(path, stat.size, digest, "jpeg", 950, 700)
    effort = model.Effort(1_700_000_000.0, 1_700_000_001.0, 1_000, 1, claim.scan_id, 1)
    line = line_of(model.Scanned(subject, effort, answer), run_id, sandbox=False)
    ledger.runs.add_outcome(run_id, without_answer(line), answer_id)
