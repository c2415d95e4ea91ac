from __future__ import annotations

import os

import pytest

from batchscan.errors import UsageError
from batchscan.settings import Account, Secret, Settings
from batchscan.settings.credentials import CREDENTIAL_NAME, read_key_file, require_credentials
from batchscan.settings.load import load


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "key"
    path.touch(0o600)
    path.write_text("from-file\n")
    return path


def loaded_key(environ, flags=None):
    loaded = load(flags or {}, environ)
    key = loaded.settings.account.api_key
    return (key.reveal() if key else None), loaded.origins.get("account.api_key")


def test_the_variable_wins_over_every_file(key_file):
    environ = {"COPYLEAKS_API_KEY": "from-variable", "COPYLEAKS_API_KEY_FILE": str(key_file)}
    assert loaded_key(environ) == ("from-variable", "environment COPYLEAKS_API_KEY")


def test_a_named_file_wins_over_the_credentials_folder(key_file, tmp_path):
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / CREDENTIAL_NAME).write_text("from-systemd")
    environ = {"CREDENTIALS_DIRECTORY": str(folder)}
    assert loaded_key(environ)[0] == "from-systemd"
    environ["COPYLEAKS_API_KEY_FILE"] = str(key_file)
    assert loaded_key(environ) == ("from-file", f"{key_file} (COPYLEAKS_API_KEY_FILE)")


def test_the_credentials_folder_wins_over_the_settings_file(key_file, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("account: {api_key_file: key}")
    flags = {"config": str(config)}
    folder = tmp_path / "credentials"
    folder.mkdir()
    environ = {"CREDENTIALS_DIRECTORY": str(folder)}
    assert loaded_key(environ, flags) == ("from-file", f"{key_file} (account.api_key_file)")
    (folder / CREDENTIAL_NAME).write_text("from-systemd")
    assert loaded_key(environ, flags)[0] == "from-systemd"


def test_commands_that_do_not_log_in_never_open_the_key_file(tmp_path):
    environ = {"COPYLEAKS_API_KEY_FILE": str(tmp_path / "missing")}
    assert load({}, environ, credentials=False).settings.account.api_key is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_key_file_that_others_can_use_is_refused(key_file, mode):
    key_file.chmod(mode)
    with pytest.raises(UsageError, match=f"others .* \\(mode {mode:04o}\\)") as caught:
        read_key_file(str(key_file), {})
    assert caught.value.advice == f"chmod 600 {key_file}"


def test_files_in_the_credentials_folder_may_be_readable(key_file):
    key_file.chmod(0o444)
    environ = {"CREDENTIALS_DIRECTORY": str(key_file.parent)}
    assert read_key_file(str(key_file), environ) == Secret("from-file")


def test_a_link_out_of_the_credentials_folder_is_judged_by_where_it_leads(key_file, tmp_path):
    key_file.chmod(0o644)
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / CREDENTIAL_NAME).symlink_to(key_file)
    with pytest.raises(UsageError, match="others"):
        load({}, {"CREDENTIALS_DIRECTORY": str(folder)})


@pytest.mark.parametrize("content", [b"key", b"key\n", b"key\r\n", b"\xef\xbb\xbfkey\n\n"])
def test_the_end_of_the_line_is_no_part_of_the_key(key_file, content):
    key_file.write_bytes(content)
    assert read_key_file(str(key_file), {}) == Secret("key")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"\xff\xfe", "not UTF-8"),
        (b"one\ntwo\n", "one line without spaces"),
        (b" key\n", "one line without spaces"),
        (b"x" * 5000, "too long for an API key"),
    ],
)
def test_a_file_without_a_key_is_refused(key_file, content, message):
    key_file.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        read_key_file(str(key_file), {})


def test_a_missing_key_file_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"key file .*missing: cannot be read: No such file"):
        read_key_file(str(tmp_path / "missing"), {})


def test_a_folder_or_a_fifo_is_no_key_file(tmp_path):
    with pytest.raises(UsageError, match="Is a directory"):
        read_key_file(str(tmp_path), {})
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    with pytest.raises(UsageError, match="not a regular file"):
        read_key_file(str(fifo), {})


def test_a_broken_key_in_the_variable_is_refused_and_not_repeated():
    with pytest.raises(UsageError, match="COPYLEAKS_API_KEY: an API key is one line") as caught:
        load({}, {"COPYLEAKS_API_KEY": "s3cr\x003t"})
    assert "s3cr" not in str(caught.value)


@pytest.mark.parametrize(
    ("account", "missing", "advice"),
    [
        (Account(), "e-mail address and the API key are missing", "COPYLEAKS_EMAIL"),
        (Account(email="a@b.test"), "the API key is missing", "COPYLEAKS_API_KEY_FILE"),
        (Account(api_key=Secret("k")), "e-mail address is missing", "account.email"),
    ],
)
def test_missing_credentials_are_named_with_how_to_give_them(account, missing, advice):
    with pytest.raises(UsageError, match=missing) as caught:
        require_credentials(Settings(account=account))
    assert advice in (caught.value.advice or "")


def test_complete_credentials_pass():
    require_credentials(Settings(account=Account("a@b.test", api_key=Secret("k"))))
