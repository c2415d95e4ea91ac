"""What anyone writes first: read, post with `FormData`, parse. No ledger, no checks, no pace."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import aiohttp


async def main(url: str, folder: str, workers: int) -> None:
    files = iter(sorted(Path(folder).rglob("*.jpg")))  # noqa: ASYNC240 - as anyone would
    connector = aiohttp.TCPConnector(limit=workers)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def work() -> None:
            for file in files:
                form = aiohttp.FormData()
                form.add_field(
                    "image", file.read_bytes(), filename=file.name, content_type="image/jpeg"
                )
                form.add_field("filename", file.name)
                form.add_field("sandbox", "false")
                path = f"/v1/image-plagiarism-detector/{file.stem}/check"
                headers = {"Authorization": "Bearer token"}
                async with session.post(url + path, data=form, headers=headers) as response:
                    json.loads(await response.read())["matches"]["internet"]

        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(work())


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
