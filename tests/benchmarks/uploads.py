"""Sending pictures: the whole scan beside clients that only send."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.commands import batchscan, needed, python_package
from tests.benchmarks.material import photograph, photographs
from tests.benchmarks.measure import Row, Usage, cpu, in_turn, median, ratio, run, wall
from tests.benchmarks.service import NO_MATCHES, service

PICTURES = 2_000
WORKERS = 64
PEERS = Path(__file__).parent / "peers"


def uploads(work: Path, scale: float) -> Iterator[Row]:
    """CPU and wall time of a scan with `--check fast` of JPEGs of 200 kB."""
    needed("nginx", "nginx-light")
    needed("curl")
    requests = python_package("requests", work)
    count = max(50, round(PICTURES * scale))
    images = work / "images"
    photographs(images, count, photograph(950, 700, 86))
    with (
        service(work / "service", NO_MATCHES) as url,
        service(work / "finding") as finding,
    ):

        def ours(url: str = url) -> Usage:
            for left in ("state", "output"):
                shutil.rmtree(work / left, ignore_errors=True)
            words = ["--check", "fast", "--rate", "100000/s", "-j", str(WORKERS), "-q"]
            return run(*batchscan(work, url, *words, str(images)))

        def peer(name: str, env: dict[str, str] | None = None) -> Usage:
            words = [sys.executable, str(PEERS / name), url, str(images), str(WORKERS)]
            return run(words, env)

        config = _curl_config(work, url, images)
        figures = in_turn(
            ours,
            lambda: ours(finding),
            lambda: peer("aiohttp_loop.py"),
            lambda: peer("requests_pool.py", requests),
            lambda: run(
                ["curl", "-sS", "--parallel", "--parallel-max", str(WORKERS), "-K", config]
            ),
        )
    scan, matched, loop, pool, curl = figures
    note = f"{median(scan, cpu) / count * 1e3:.2f} ms a picture"
    what = f"CPU of scanning {count:,} JPEGs of 200 kB, --check fast"
    yield Row(what, "bare aiohttp loop", ratio(scan, loop, cpu), 1.75, note=note)
    note = f"{median(matched, cpu) / count * 1e3:.2f} ms a picture"
    yield Row(f"{what}, 3 matches each", "without", ratio(matched, scan, cpu), 1.8, note=note)
    yield Row(what, "requests in a thread pool", ratio(scan, pool, cpu), 0.55)
    note = f"{median(scan, wall):.2f} s"
    yield Row("wall time of the same", "curl --parallel", ratio(scan, curl, wall), 4, note=note)


def _curl_config(work: Path, url: str, images: Path) -> str:
    entries = [
        f'url = "{url}/v1/image-plagiarism-detector/{file.stem}/check"\n'
        f'header = "Authorization: Bearer token"\n'
        f'form = "image=@{file};type=image/jpeg"\nform = "filename={file.name}"\n'
        f'form = "sandbox=false"\noutput = "/dev/null"\n'
        for file in sorted(images.iterdir())
    ]
    config = work / "curl.config"
    config.write_text("next\n".join(entries))
    return str(config)
