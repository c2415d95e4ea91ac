"""The pages of the documentation, their code blocks, and the commands in them."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "batchscan" / "docs"
PAGES = [README, *sorted(DOCS.glob("*.md"))]

_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
_INLINE = re.compile(r"`(batchscan [^`]+)`")
_STOPS = {"|", ">", "&&", "&", "<", ";", "#"}

# Commands that serve until a signal, and exit codes that say no more than what was found, or
# that sites with made-up names do not answer.
_PRELUDE = """
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
batchscan() {
    local code=0
    case "$1" in
        emulator|review) timeout -s INT 3 batchscan "$@" || code=$?; [ $code = 124 ] && code=0 ;;
        recheck|evidence) command batchscan "$@" || code=$?; [ $code = 3 ] && code=0 ;;
        *) command batchscan "$@" || code=$?; [ $code = 10 ] && code=0 ;;
    esac
    return $code
}
"""


def blocks(page: Path, *languages: str) -> list[str]:
    """The code blocks of a page in these languages."""
    return [text for language, text in _BLOCK.findall(page.read_text()) if language in languages]


def languages(page: Path) -> set[str]:
    return {language for language, _ in _BLOCK.findall(page.read_text())}


def commands(page: Path) -> Iterator[list[str]]:
    """The words after `batchscan` of every command in a page, in blocks and in the text."""
    text = page.read_text()
    for block in blocks(page, "sh", "text"):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"\s*(?:\||&&|;)\s*", line):
                if part.startswith("batchscan "):
                    yield _words(part)
    for found in _INLINE.findall(_BLOCK.sub("", text)):
        yield _words(" ".join(found.split()))


def _words(command: str) -> list[str]:
    words = shlex.split(command, comments=True)[1:]
    ends = [number for number, word in enumerate(words) if word in _STOPS]
    return words[: ends[0]] if ends else words


async def shell(text: str, environment: dict[str, str]) -> tuple[int, str]:
    """Run a block as a user would, in the home folder; gives exit code and everything printed."""
    process = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", text,
        env=environment, cwd=environment["HOME"], stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def run_block(text: str, environment: dict[str, str]) -> tuple[int, str]:
    """Run a block of a page, with the places of this machine instead of a server's."""
    home = environment["HOME"]
    places = {
        "/srv/images": f"{home}/images",
        "--min-age 5m": "--min-age 1ms",
        "/etc/systemd/system": f"{home}/units",
        "sudo ": "",
        "--port 8080": "",
        "timestamp.digicert.com": "timestamp.example",
    }
    for place, here in places.items():
        text = text.replace(place, here)
    text = re.sub(r"^pip (un)?install .*$", "true", text, flags=re.MULTILINE)
    return await shell(f"{_PRELUDE}\n{text}", environment)
