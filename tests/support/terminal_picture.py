"""Make the README's picture of a terminal: `python -m tests.support.terminal_picture`."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from xml.sax.saxutils import escape

from tests.support.documentation import ROOT

PICTURE = ROOT / ".github" / "demo.svg"
COLUMNS = 100
_LINE, _CHAR, _MARGIN = 17, 7.3, 14  # pixels
_RUN = re.compile(r"\d{8}T\d{6}Z(-\d+)?")
_STYLE = (
    "text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#d8dee9;"
    "white-space:pre}.p{fill:#a3be8c}.b{fill:#fff;font-weight:bold}"
)


def demo_lines() -> list[str]:
    """What `batchscan demo` prints up to the list of files."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "batchscan", "demo"],
            cwd=folder, check=True, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        text = done.stdout.partition("\n\nWhere things are:")[0].replace(f"{folder}/", "")
    return _RUN.sub("20261128T021500Z", text).splitlines()


def svg(lines: list[str]) -> str:
    """A terminal with a command and its output."""
    width = round(COLUMNS * _CHAR + 2 * _MARGIN)
    height = (len(lines) + 1) * _LINE + 2 * _MARGIN
    rows = [("p", "$ batchscan demo"), ("b", lines[0]), *(("", line) for line in lines[1:])]
    texts = (
        f'<text x="{_MARGIN}" y="{_MARGIN + (number + 1) * _LINE - 5}"'
        f"{f' class={chr(34)}{kind}{chr(34)}' if kind else ''}>{escape(line)}</text>"
        for number, (kind, line) in enumerate(rows)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="Output of batchscan demo">'
        f"<style>{_STYLE}</style>"
        f'<rect width="100%" height="100%" rx="8" fill="#20242c"/>\n'
        + "\n".join(texts)
        + "\n</svg>\n"
    )


if __name__ == "__main__":
    PICTURE.write_text(svg(demo_lines()))
