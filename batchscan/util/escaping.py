"""Escaping untrusted strings for terminals, tables, Markdown and JSON.

File names, URLs and error texts may contain terminal sequences, bidirectional control characters,
formulas, or bytes that are not valid text.
"""

from __future__ import annotations

import base64
import json
import os
import re
import unicodedata

MAX_CELL = 32_767
"""UTF-16 code units that a cell of a spreadsheet may have: Excel's limit."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""The byte order mark, by which Excel recognises UTF-8."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>#|!~&$]|(?<=www)\.|:(?=//)", re.IGNORECASE)
_SURROGATES = re.compile("[\ud800-\udfff]")
_BEYOND_ASCII = re.compile("[^\x00-\x7e]")
_UNDECODABLE = range(0xDC80, 0xDD00)  # bytes that were not UTF-8, as os.fsdecode marks them


def printable(text: str) -> str:
    r"""Make a string safe to print on one line: control and bidi characters become `\x1b`."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _shown(char) for char in text)


def csv_cell(text: str) -> str:
    """Make a string safe in a CSV cell: one line, and not a formula for spreadsheets."""
    looks = unicodedata.normalize("NFKC", text[:1])  # some accept a full-width =, too
    return f"'{printable(text)}" if looks.startswith(_FORMULA_STARTS) else printable(text)


def spreadsheet_cell(text: str | None) -> str:
    """An untrusted string as a cell: not a formula, and cut to the length of a cell."""
    shown = csv_cell(text or "")
    if 2 * len(shown) <= MAX_CELL:
        return shown
    units = shown.encode("utf-16-le")
    if len(units) <= 2 * MAX_CELL:
        return shown
    note = f"… [cut, {len(text or ''):,} characters]"
    head = units[: 2 * (MAX_CELL - len(note))]
    return head.decode("utf-16-le", errors="ignore") + note  # half a pair is left out


def markdown(text: str) -> str:
    """Escape a string as plain text in Markdown: one line, no markup, HTML, table or link.

    Some renderers find mail addresses and mentions in text in spite of escaping, so untrusted
    strings are better shown as `markdown_code`.
    """
    return _MARKDOWN.sub(r"\\\g<0>", printable(text))


def markdown_code(text: str) -> str:
    """A string as code in Markdown, in which links, mentions, HTML and markup are not interpreted.

    Characters that could end the code or a table's cell are shown like unprintable ones.
    """
    shown = printable(text).replace("`", r"\x60").replace("|", r"\x7c")
    return f"`{shown} `" if shown.endswith("\\") or not shown else f"`{shown}`"


def escape_json(data: bytes) -> bytes:
    r"""Escape unprintable characters in JSON, which does not change its value: `\u202e`.

    Left are printable characters, and line feeds and spaces between values.
    """
    if data.isascii() and b"\x7f" not in data:
        return data  # the encoder has escaped the other control characters
    return _BEYOND_ASCII.sub(_escaped, data.decode()).encode()


def replace_surrogates(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot encode, by U+FFFD."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def path_fields(path: str | bytes) -> tuple[str, str | None]:
    """A path as readable text, and in base64 if the text is not exact."""
    raw = os.fsencode(path)
    try:
        return raw.decode(), None
    except UnicodeDecodeError:
        return raw.decode(errors="replace"), base64.b64encode(raw).decode()


def _escaped(matched: re.Match[str]) -> str:
    char = matched[0]
    return char if char.isprintable() else json.dumps(char)[1:-1]


def _shown(char: str) -> str:
    if ord(char) in _UNDECODABLE:
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()
