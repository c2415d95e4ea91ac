"""The vendor's sample (`requests.post` with `files` and `data`) in a pool of threads."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

url, folder, workers = sys.argv[1], sys.argv[2], int(sys.argv[3])


def check(file: Path) -> int:
    path = f"/v1/image-plagiarism-detector/{file.stem}/check"
    with file.open("rb") as opened:
        response = requests.post(
            url + path,
            headers={"Authorization": "Bearer token"},
            files={"image": (file.name, opened, "image/jpeg")},
            data={"filename": file.name, "sandbox": "false"},
            timeout=60,
        )
    response.raise_for_status()
    return len(response.json()["matches"]["internet"])


with ThreadPoolExecutor(workers) as pool:
    found = list(pool.map(check, sorted(Path(folder).rglob("*.jpg"))))
