from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from batchscan.errors import UsageError
from batchscan.settings import Output, Scan, Settings
from batchscan.settings.load import load
from batchscan.settings.locations import allow_file, config_file, state_folder

NOBODYS_NUMBER = 54321
IMPORTS = (
    "from batchscan.settings import Settings; from batchscan.settings.load import load; "
    "from batchscan.settings.locations import allow_file, state_folder"
)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")


@pytest.fixture
def own_config(tmp_path, monkeypatch):
    """The user's own settings file, at the place of this platform."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    folder = tmp_path / ".config" / "batchscan"
    folder.mkdir(parents=True)
    path = folder / "config.yaml"
    path.touch()
    return path


def homeless(code):
    """Run code as a user whom nobody knows, as in some containers."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    environ.pop("HOME", None)
    become_nobody = f"import os; os.chdir('/'); os.setuid({NOBODYS_NUMBER})"
    done = subprocess.run(
        [sys.executable, "-c", f"{IMPORTS}; {become_nobody}; {code}"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout, done.stderr


def test_the_flag_wins_over_the_variable_and_that_over_the_users_own_file(own_config):
    environ = {"BATCHSCAN_CONFIG": "/b.yaml"}
    assert config_file("/a.yaml", environ) == "/a.yaml"
    assert config_file(None, environ) == "/b.yaml"
    assert config_file(None, {}) == str(own_config)


def test_without_a_file_of_the_users_own_there_is_none(own_config):
    own_config.unlink()
    assert config_file(None, {"BATCHSCAN_CONFIG": ""}) is None


def test_a_file_in_the_working_folder_is_never_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("config.yaml", "batchscan.yaml", ".batchscan.yaml"):
        (tmp_path / name).write_text("pace: {rate: 1/s}")
    assert config_file(None, {}) is None


def test_a_relative_name_starts_at_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert config_file("a.yaml", {}) == str(tmp_path / "a.yaml")


def test_a_tilde_that_nobody_can_expand_is_refused():
    with pytest.raises(UsageError, match=r"settings file ~nobody-here/a\.yaml: no home folder"):
        config_file("~nobody-here/a.yaml", {})


def test_allow_rules_are_where_they_are_set_to_be_else_beside_the_settings_file(own_config):
    named = Settings(scan=Scan(allow="/etc/rules.yaml"))
    assert allow_file(named, "/srv/b.yaml") == Path("/etc/rules.yaml")
    assert allow_file(Settings(), "/srv/b.yaml") == Path("/srv/allow.yaml")
    assert allow_file(Settings(), None) == own_config.parent / "allow.yaml"


def test_a_relative_name_of_allow_rules_starts_at_the_file_that_holds_it(own_config, tmp_path):
    own_config.write_text("scan: {allow: rules/allow.yaml}")
    loaded = load({}, {})
    assert loaded.file == str(own_config)
    assert allow_file(loaded.settings, loaded.file) == own_config.parent / "rules" / "allow.yaml"


def test_the_state_folder_is_the_one_that_is_set(tmp_path):
    assert state_folder(Settings(output=Output(state=str(tmp_path)))) == tmp_path


def test_the_state_folder_is_else_the_users_own(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = state_folder(Settings())
    assert folder.is_absolute()
    assert folder.name == "batchscan"


@needs_root
def test_without_a_home_the_state_folder_is_asked_for():
    _, said = homeless("state_folder(Settings())")
    assert "UsageError: no home folder is known for the ledger" in said


@needs_root
def test_without_a_home_there_is_no_file_of_the_users_own():
    said, _ = homeless("print(load({}, {}).file, allow_file(Settings(), None))")
    assert said == "None None\n"


def test_a_relative_state_folder_of_a_program_becomes_absolute():
    assert state_folder(Settings(output=Output(state="s"))) == Path.cwd() / "s"


def test_a_service_keeps_its_state_and_its_runs_in_the_folder_that_systemd_made(monkeypatch):
    environ = {"STATE_DIRECTORY": "/var/lib/batchscan:/var/lib/other"}
    loaded = load({}, environ)
    assert loaded.settings.output.state == "/var/lib/batchscan"
    assert loaded.settings.output.directory == "/var/lib/batchscan/output"
    assert loaded.origins["output.state"] == "environment STATE_DIRECTORY"
    monkeypatch.setenv("STATE_DIRECTORY", environ["STATE_DIRECTORY"])
    assert state_folder(Settings()) == Path("/var/lib/batchscan")


def test_flags_and_the_settings_file_win_over_the_folder_that_systemd_made(own_config):
    environ = {"STATE_DIRECTORY": "/var/lib/batchscan"}
    own_config.write_text("output: {state: /srv/state}")
    output = load({"output.directory": "/srv/runs"}, environ).settings.output
    assert (output.state, output.directory) == ("/srv/state", "/srv/runs")


@pytest.mark.parametrize("odd", ["", ":/var/lib/x", "relative"])
def test_a_state_folder_of_systemd_that_is_no_path_counts_as_none(odd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    output = load({}, {"STATE_DIRECTORY": odd}).settings.output
    assert (output.state, output.directory) == (None, str(tmp_path / "batchscan-output"))
