"""Render the Markdown of the documentation as plain text for a terminal.

Only what the pages in `batchscan/docs` use: headings, paragraphs, lists, tables, fenced blocks,
bold, links and comments of one line. Everything else is shown as it is written.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

_FENCE = "```"
_COMMENT = "<!--"
_ITEM = re.compile(r"(- |\d+\. )")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_HEADING = re.compile(r"(#{1,3}) (.+)")
_UNDERLINES = "=-~"  # of headings, by their level
_MIN_COLUMN = 8  # characters of a table's column, however narrow the terminal is
_GAP = 2  # spaces between columns


def render_markdown(text: str, width: int = 80) -> str:
    """Plain text of at most `width` columns, but for code blocks and long words."""
    lines = text.splitlines()
    blocks = (_render_block(block, width) for block in _blocks(lines))
    return "\n\n".join(blocks) + "\n"


def _blocks(lines: Sequence[str]) -> Iterator[list[str]]:
    """Split at blank lines, which mean nothing inside a fence; headings are blocks too."""
    block: list[str] = []
    in_fence = False
    for line in lines:
        if not in_fence and line.startswith(_COMMENT):
            continue
        is_fence = line.startswith(_FENCE)
        starts = (is_fence and not in_fence) or (not in_fence and _HEADING.match(line))
        if block and (starts or (not in_fence and not line.strip())):
            yield block
            block = []
        if line.strip() or in_fence:
            block.append(line)
        in_fence ^= is_fence
        if block and not in_fence and (is_fence or _HEADING.match(line)):
            yield block
            block = []
    if block:
        yield block


def _render_block(lines: list[str], width: int) -> str:
    if lines[0].startswith(_FENCE):
        return "\n".join(f"    {line}".rstrip() for line in lines[1:-1])
    if heading := _HEADING.fullmatch(lines[0]):
        title = _inline(heading[2])
        return f"{title}\n{_UNDERLINES[len(heading[1]) - 1] * len(title)}"
    if lines[0].startswith("|"):
        return _table([_cells(line) for line in lines], width)
    if _ITEM.match(lines[0]):
        return "\n".join(_items(lines, width))
    return _wrap(_inline(" ".join(line.strip() for line in lines)), width)


def _inline(text: str) -> str:
    def replace(link: re.Match[str]) -> str:
        return f"{link[1]} ({link[2]})" if "://" in link[2] else link[1]

    return _LINK.sub(replace, text).replace("**", "")


def _items(lines: list[str], width: int) -> Iterator[str]:
    item: list[str] = []
    for line in [*lines, "- "]:
        if _ITEM.match(line) and item:
            text = _inline(" ".join(item))
            mark = _ITEM.match(text)
            yield _wrap(text, width, indent=" " * len(mark[0] if mark else ""))
            item = []
        item.append(line.strip())


def _wrap(text: str, width: int, indent: str = "") -> str:
    lines = textwrap.wrap(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(lines)


def _cells(line: str) -> list[str]:
    row = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return [_inline(cell.strip().replace("\\|", "|")) for cell in row]


def _table(rows: list[list[str]], width: int) -> str:
    """Format a table; the widest columns are wrapped until all fit."""
    header, body = rows[0], rows[2:]  # the second row is the dashes
    widths = [max(map(len, column)) for column in zip(*[header, *body], strict=False)]
    room = width - _GAP * (len(widths) - 1)
    while sum(widths) > room and max(widths) > _MIN_COLUMN:
        widths[widths.index(max(widths))] -= 1
    lines = list(_row(header, widths)) if any(header) else []
    if lines:
        lines.append((" " * _GAP).join("-" * size for size in widths))
    for row in body:
        lines.extend(_row(row, widths))
    return "\n".join(lines)


def _row(cells: list[str], widths: list[int]) -> Iterator[str]:
    columns = [_wrap(cell, size).split("\n") for cell, size in zip(cells, widths, strict=False)]
    for number in range(max(map(len, columns))):
        parts = [column[number] if number < len(column) else "" for column in columns]
        padded = (part.ljust(size) for part, size in zip(parts, widths, strict=False))
        yield (" " * _GAP).join(padded).rstrip()
