from __future__ import annotations

import pytest

from batchscan.errors import UsageError
from batchscan.settings import Takedown
from batchscan.takedown import FORMS, NoticeTemplate, default_template, template_context
from batchscan.takedown.select import Notice

VALUES = template_context(Notice("example.com", ()), Takedown(), FORMS[1])


@pytest.fixture
def own(tmp_path):
    """A user's own template of some text; gives its path."""

    def written(text: str | bytes) -> str:
        path = tmp_path / "own.j2"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return written


def test_a_users_template_takes_the_place_of_ours(own):
    path = own("{# mine #}\nDear {{ domain }},\n{% for work in works %}x{% endfor %}\n")

    assert NoticeTemplate(".txt", path).render(VALUES) == "Dear example.com,\n"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a\n{% for %}\n", 2, "Expected an expression"),
        ("a\nb\n{{ nobody }}\n", 3, "'nobody' is undefined"),
        ("a\n{{ domain.nothing }}", 2, "nothing"),
        ("{{ 1 / 0 }}", 1, "division"),
        ("\n{{ 1 + 'a' }}", 2, "unsupported operand"),
        ("\n\n{{ domain.__class__.__mro__ }}", 3, "unsafe"),
        ("{% include 'other' %}", 1, "other"),
        ("{{ domain | nonsense }}", 1, "nonsense"),
        ("{{ works.append(1) }}", 1, "safe"),
        ("{% macro m() %}{{ m() }}{% endmacro %}\n{{ m() }}", 1, "recursion"),
    ],
)
def test_a_mistake_names_file_and_line(own, text, line, problem):
    path = own(text)
    with pytest.raises(UsageError, match=problem) as caught:
        NoticeTemplate(".md", path).render(VALUES)

    assert str(caught.value).startswith(f"{path} line {line}: ")
    assert "--show-template" in (caught.value.advice or "")


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"a\n\xff", "line 2: not UTF-8"), (b"x" * 1_000_001, "too large for a template")],
)
def test_an_invalid_template_is_refused(own, content, problem):
    with pytest.raises(UsageError, match=problem):
        NoticeTemplate(".md", own(content))


def test_a_template_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"none\.j2: cannot be read: No such file"):
        NoticeTemplate(".md", str(tmp_path / "none.j2"))


def test_every_value_is_explained_at_the_head_of_the_template():
    head = default_template(".md").partition("#}")[0]
    work = {"number", "title", "format", "width", "height", "sha256", "creator", "copyright"}
    copy = {"number", "url", "kind", "pages", "more_pages", "first_seen", "last_seen"}

    assert {line.split()[0] for line in head.splitlines() if line.startswith("  ") and line[2] not in " b"} >= {*VALUES}  # fmt: skip
    assert all(f"    .{name} " in head or f"    .{name}\n" in head for name in work)
    assert all(f"      .{name} " in head or f"      .{name}\n" in head for name in copy)
