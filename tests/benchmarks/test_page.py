"""The documentation's table of figures: what writes it, and that it is what was written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks import page
from tests.benchmarks.measure import Row


def test_the_page_has_the_rows_that_the_benchmark_writes():
    text = page.PAGE.read_text()
    shown = page.read_table(text)

    assert tuple(shown) == page.ROWS
    assert page.with_table(text, shown) == text
    assert all(re.match(r"[\d.]+ (×|[A-Za-z]+)", figure) for figure in shown.values())


def texts() -> Iterator[re.Pattern[str]]:
    """What benchmarks may call their rows: their texts, with anything in the gaps."""
    for file in Path(page.__file__).parent.glob("*.py"):
        if file.name in ("page.py", Path(__file__).name):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            known = [str(part.value) if isinstance(part, ast.Constant) else None for part in parts]
            if sum(len(part or "") for part in known) > 1:
                yield re.compile(
                    "".join(".+" if part is None else re.escape(part) for part in known)
                )


def test_every_row_of_the_page_is_one_of_a_benchmark():
    """A row that is called otherwise would never be measured again."""
    known = list(texts())
    for name in page.ROWS:
        assert all(any(text.fullmatch(words) for text in known) for words in name), name


def test_figures_are_written_over_old_ones_and_others_stay(tmp_path):
    copy = tmp_path / "performance.md"
    copy.write_text(page.PAGE.read_text())
    before = page.read_table(copy.read_text())
    what, beside = page.ROWS[0]

    left = page.update([Row(what, beside, 1.2345, 9, note="1 s"), Row("else", "", 1, 1)], copy)

    assert left == list(page.ROWS[1:])
    after = page.read_table(copy.read_text())
    assert after[what, beside] == "1.23 × (1 s)"
    assert {**before, (what, beside): ""} == {**after, (what, beside): ""}
    assert copy.read_text().count("\n") == page.PAGE.read_text().count("\n")
