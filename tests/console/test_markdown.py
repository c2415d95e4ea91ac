from __future__ import annotations

import pytest

from batchscan.console.markdown import render_markdown
from tests.support.documentation import PAGES, blocks

TABLE = """\
| reason | |
|---|---|
| `empty` | a file of no bytes |
| `corrupt` | damaged: the pixels cannot be decoded to the end |
"""


def test_headings_paragraphs_lists_and_links_become_plain_text():
    text = "# A title\nOne **bold**\nline.\n\n- an [item](x.md) that\n  is long\n- [b](https://b.example)\n"

    assert render_markdown(text, 20) == (
        "A title\n=======\n\nOne bold line.\n\n"
        "- an item that is\n  long\n- b\n  (https://b.example)\n"
    )


def test_comments_are_not_shown():
    text = "Before:\n\n<!-- for a program -->\n| a |\n|---|\n| b |\n<!-- end -->\n\nAfter.\n"

    assert render_markdown(text, 20) == "Before:\n\na\n-\nb\n\nAfter.\n"


def test_code_blocks_are_indented_and_never_wrapped():
    text = "Run:\n```sh\nbatchscan ./images --exclude '*.gif'\n\n# not a heading\n```\nDone."

    assert render_markdown(text, 20) == (
        "Run:\n\n    batchscan ./images --exclude '*.gif'\n\n    # not a heading\n\nDone.\n"
    )


def test_the_widest_column_of_a_table_is_wrapped():
    assert render_markdown(TABLE, 40) == (
        "reason\n"
        "---------  -----------------------------\n"
        "`empty`    a file of no bytes\n"
        "`corrupt`  damaged: the pixels cannot be\n"
        "           decoded to the end\n"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_page_fits_80_columns_but_for_its_code(page):
    code = {f"    {line}" for block in blocks(page, "sh", "python", "yaml", "json", "text")
            for line in block.splitlines()}  # fmt: skip
    text = render_markdown(page.read_text(), 80)

    assert [line for line in text.splitlines() if len(line) > 80 and line not in code] == []
