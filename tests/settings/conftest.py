"""A settings file in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from batchscan.settings.load import LoadedSettings, load

Loading = Callable[..., LoadedSettings]


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(tmp_path, monkeypatch):
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    folder.mkdir()
    return folder / "config.yaml"


@pytest.fixture
def from_file(config: Path) -> Loading:
    """Load settings from a file's text, and from flags and environment where they are given."""

    def loading(text: str | bytes, flags=None, environ=None) -> LoadedSettings:
        config.write_bytes(text.encode() if isinstance(text, str) else text)
        return load({"config": str(config), **(flags or {})}, environ or {})

    return loading
