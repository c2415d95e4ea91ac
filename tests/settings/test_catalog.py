from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from batchscan.settings import Settings
from batchscan.settings.catalog import entries, groups, nearest, subgroups
from batchscan.settings.load import load

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"


def test_the_example_file_shows_every_setting_in_order_with_its_default_and_its_line():
    lines = [line.strip() for line in EXAMPLE.read_text().splitlines()]
    expected = []
    for entry in entries():
        source = f" ({entry.env})" if entry.env else ""
        expected += [
            f"# {entry.help}{source}",
            f"{entry.name.rpartition('.')[2]}: {entry.show(entry.default)}",
        ]
    start = lines.index("account:") + 1
    named = {key.rpartition(".")[2]: owner for key, owner in (groups() | subgroups()).items()}
    headings = {f"{name}:" for name in named} | {f"# {owner.__doc__}" for owner in named.values()}
    assert [line for line in lines[start:] if line and line not in headings] == expected


def test_the_example_file_has_every_group_once_below_what_it_is_about():
    text = EXAMPLE.read_text()

    assert list(yaml.safe_load(text)) == list(groups())
    for name, owner in groups().items():
        assert text.count(f"\n# {owner.__doc__}\n{name}:\n") == 1


def test_the_example_file_loads_to_the_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loaded = load({"config": str(EXAMPLE)}, {})
    assert loaded.settings == load({}, {}).settings
    assert all(origin.startswith(str(EXAMPLE)) for origin in loaded.origins.values())


def test_lines_of_the_example_file_fit_100_columns():
    assert max(map(len, EXAMPLE.read_text().splitlines())) <= 100


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.key)
def test_a_default_is_allowed_and_survives_writing_and_reading(entry):
    entry.check(entry.default)
    if entry.default is not None:
        text = entry.show(entry.default)
        raw = yaml.safe_load(text) if text.startswith("[") else text
        raw = entry.default if isinstance(entry.default, bool) else raw
        assert entry.kind.read(raw) == entry.default


def test_settings_without_arguments_are_the_defaults_of_the_catalog():
    for entry in entries():
        assert entry.of(Settings()) == entry.default


def test_a_name_that_is_like_nothing_has_no_nearest():
    assert nearest("qqqqqqqq") is None
