from __future__ import annotations

import os
import pty
import stat
import subprocess
import sys

import pytest
import yaml

from batchscan.cli import main
from batchscan.settings.catalog import entries, groups
from batchscan.settings.load import load
from batchscan.settings.template import settings_template


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("COPYLEAKS_EMAIL", "COPYLEAKS_API_KEY", "COPYLEAKS_API_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "new" / "folder"


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o022])
def test_both_files_are_private_whatever_the_umask(folder, umask):
    before = os.umask(umask)
    try:
        assert main(["init", "-c", str(folder / "config.yaml")]) == 0
    finally:
        os.umask(before)

    assert mode(folder) == mode(folder.parent) == 0o700
    assert mode(folder / "config.yaml") == mode(folder / "key") == 0o600


def test_what_the_environment_gives_is_written_and_can_be_loaded(folder, monkeypatch, capsys):
    monkeypatch.setenv("COPYLEAKS_EMAIL", "me@example.com")
    monkeypatch.setenv("COPYLEAKS_API_KEY", "secret-key")
    config = folder / "config.yaml"
    assert main(["init", "-c", str(config)]) == 0

    settings = load({"config": str(config)}, {}).settings
    assert settings.account.email == "me@example.com"
    assert settings.account.api_key is not None
    assert settings.account.api_key.reveal() == "secret-key"
    assert "secret-key" not in config.read_text() + "".join(capsys.readouterr())


@pytest.mark.parametrize("place", ["a folder", "the key's folder"])
def test_a_place_where_nothing_can_be_written_is_named(tmp_path, monkeypatch, capsys, place):
    monkeypatch.delenv("COPYLEAKS_API_KEY_FILE", raising=False)
    (tmp_path / "file").touch()
    unwritable = tmp_path / "file" / "folder" / "key"
    if place == "the key's folder":
        monkeypatch.setenv("COPYLEAKS_API_KEY_FILE", str(unwritable))
    config = tmp_path / "config.yaml" if place == "the key's folder" else unwritable

    assert main(["init", "-c", str(config)]) == 9
    said = capsys.readouterr().err
    assert said.startswith(f"batchscan: cannot write '{unwritable}': Not a directory\n")


def test_the_commands_that_come_next_use_the_file_that_was_written(folder, capsys):
    config = folder / "my settings.yaml"
    assert main(["init", "-c", str(config)]) == 0
    said = capsys.readouterr().err

    assert f"batchscan doctor -c '{config}'" in said
    assert f"batchscan -n -c '{config}' ./images" in said


def test_what_exists_is_left_as_it_is(folder, capsys):
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("account: {email: mine@example.com}\n")
    command = ["init", "-c", str(folder / "config.yaml")]
    assert main(command) == 0
    assert "Left as it is" in capsys.readouterr().err
    (folder / "key").write_text("mine\n")

    assert main(command) == 2
    assert "nothing was changed" in capsys.readouterr().err
    assert (folder / "config.yaml").read_text() == "account: {email: mine@example.com}\n"
    assert (folder / "key").read_text() == "mine\n"


def test_a_link_that_leads_nowhere_is_not_written_through(folder):
    folder.mkdir(parents=True)
    (folder / "key").symlink_to(folder / "elsewhere")

    assert main(["init", "-c", str(folder / "config.yaml")]) == 0
    assert not (folder / "elsewhere").exists()


def test_at_a_terminal_address_and_key_are_asked_for_and_the_key_is_not_echoed(folder):
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "batchscan", "init", "-c", str(folder / "config.yaml")]
    bare = {"PATH": os.environ["PATH"], "HOME": str(folder.parent)}
    with subprocess.Popen(
        command, stdin=follower, stdout=follower, stderr=follower, env=bare, start_new_session=True
    ) as process:
        os.close(follower)
        seen = b""
        for question, answer in ((b"E-mail", b"me@example.com\n"), (b"API key", b"k-e-y\n")):
            while question not in seen:
                seen += os.read(leader, 1000)
            os.write(leader, answer)
        while True:
            try:
                more = os.read(leader, 1000)
            except OSError:  # the other end is closed
                break
            seen += more
    os.close(leader)

    assert process.returncode == 0
    assert b"k-e-y" not in seen
    assert (folder / "key").read_text() == "k-e-y\n"
    assert "email: me@example.com" in (folder / "config.yaml").read_text()


def test_the_template_has_every_setting_and_is_valid_when_all_comments_are_removed():
    text = settings_template({})
    assert list(yaml.safe_load(text)) == list(groups())
    bare = "\n".join(
        line.replace("#", "", 1)
        if line.lstrip().startswith("#") and not line.lstrip().startswith("# ")
        else line
        for line in text.splitlines()
    )
    given = yaml.safe_load(bare)

    for entry in entries():
        group, *deeper, name = entry.key.split(".")
        owner = given[group]
        for key in deeper:
            owner = owner[key]
        assert name in owner, entry.key
