from __future__ import annotations

import pytest

from batchscan.cli import main
from batchscan.cli.changes import changes_page, read_fragments, with_unreleased
from tests.support.documentation import ROOT

PAGE = """# Changes

Of each release.

<!-- towncrier release notes start -->
## 1.1.0 (2026-12-01)

- newest

## 1.0.0 (2026-11-01)
"""


def test_the_page_shows_every_change_that_is_not_released_yet(capsys):
    fragments = read_fragments(ROOT / ".changes")
    assert main(["help", "changes"]) == 0
    page = " ".join(capsys.readouterr().out.split())

    texts = [text for kind in fragments.values() for text in kind]
    assert len(texts) == len(list((ROOT / ".changes").glob("*.*.md")))
    for text in texts:
        assert text.replace("**", "") in page
    assert ("Unreleased" in page) == bool(texts)
    assert "<!--" not in page


def test_what_is_not_released_comes_before_the_releases():
    page = with_unreleased(PAGE, {"fixed": ["A bug."], "added": ["A thing.", "Another."]})

    assert page == (
        "# Changes\n\nOf each release.\n\n## Unreleased\n\n### Added\n\n- A thing.\n- Another.\n\n"
        "### Fixed\n\n- A bug.\n\n## 1.1.0 (2026-12-01)\n\n- newest\n\n## 1.0.0 (2026-11-01)\n"
    )


def test_after_a_release_nothing_is_unreleased(tmp_path):
    (tmp_path / "batchscan").mkdir()
    (tmp_path / "batchscan" / "CHANGELOG.md").write_text(PAGE)
    (tmp_path / ".changes").mkdir()
    (tmp_path / ".changes" / "README.md").write_text("One file a change.")
    page = changes_page(tmp_path / "batchscan")

    assert "Unreleased" not in page
    assert page.index("1.1.0") < page.index("1.0.0")
    (tmp_path / ".changes").rename(tmp_path / "elsewhere")  # as in a wheel
    assert changes_page(tmp_path / "batchscan") == page


def test_a_change_of_an_unknown_kind_is_not_passed_over(tmp_path):
    (tmp_path / "thing.improved.md").write_text("Better.")
    with pytest.raises(ValueError, match="improved"):
        read_fragments(tmp_path)
