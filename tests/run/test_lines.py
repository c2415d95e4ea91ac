"""The lines of results.jsonl as other programs read them: nothing is ever missing."""

from __future__ import annotations

import json
import re

from batchscan.emulator.bodies import VendorMatch
from tests.support.photographs import encoded, photograph, resized
from tests.support.pictures import png, tiff, tree

LINE = {
    "schema",
    "run_id",
    "path",
    "path_b64",
    "status",
    "reason",
    "detail",
    "warnings",
    "bytes",
    "sha256",
    "format",
    "width",
    "height",
    "scan_id",
    "generation",
    "credits",
    "attempts",
    "sandbox",
    "started_at",
    "finished_at",
    "elapsed_ms",
    "scanned_at",
    "error",
    "score",
    "matches",
    "sent",
    "covered_by",
}
MATCH = {"url", "kind", "pages", "domain", "state", "first_seen", "last_seen", "disposition"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


async def test_every_line_of_every_status_has_every_field(bench_with):
    copies = [VendorMatch("https://site.example/a.jpg", 0, ("https://site.example/",))]
    async with bench_with(copies=lambda sha256: copies) as bench:
        scene = photograph(1, (800, 600))
        files = {
            "a.jpg": encoded(scene),
            "a-400x300.jpg": encoded(resized(scene, 400)),
            "b.tif": tiff(),
            "c.png": b"junk",
            "twin.jpg": encoded(scene),
        }
        tree(bench.images, files)
        (bench.images / "later.png").write_bytes(png(16, 16, 9))
        listed = bench.folder / "list"
        listed.write_text(
            "".join(f"{bench.images}/{name}\n" for name in (*files, "gone.png", "later.png"))
        )
        ran = await bench.scan(
            roots=(),
            files_from=str(listed),
            scan={"renditions": "cover"},
            spend={"limit": 2},
            pace={"concurrency": 1},
        )
        [folder] = (bench.folder / "output" / "runs").iterdir()
        lines = [json.loads(line) for line in (folder / "results.jsonl").read_bytes().splitlines()]

    assert set(ran.statuses()) == {
        "scanned", "reused", "covered", "rejected", "failed", "deferred",
    }  # fmt: skip
    for line in lines:
        assert set(line) >= LINE
        for match in line["matches"]:
            assert set(match) >= MATCH
        times = [line["started_at"], line["finished_at"], line["scanned_at"]]
        times += [match[name] for match in line["matches"] for name in ("first_seen", "last_seen")]
        assert all(TIME.fullmatch(time) for time in times if time is not None)
        assert (line["scanned_at"] is None) == (line["score"] is None)
        assert (line["covered_by"] is None) == (line["status"] != "covered")
