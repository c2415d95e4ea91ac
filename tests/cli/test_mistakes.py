"""What a newcomer does wrong, and the answer: what happened, to what, and what to do about it."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from batchscan.cli import main
from batchscan.cli.options import port_error

ACCOUNT = {"COPYLEAKS_EMAIL": "ada@example.test", "COPYLEAKS_API_KEY": "secret"}
NOWHERE = {
    "COPYLEAKS_API_URL": "http://127.0.0.1:9",
    "COPYLEAKS_IDENTITY_URL": "http://127.0.0.1:9",
}


@pytest.fixture
def mistake(tmp_path, monkeypatch, capsys):
    """Run a command in a folder with a few things in it; gives the exit code and stderr."""
    for name in [name for name in os.environ if name.startswith(("COPYLEAKS_", "BATCHSCAN_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "file").write_text("text")
    (tmp_path / "folder").mkdir()
    for name, text, mode in [
        ("open", "key", 0o644),
        ("empty", "", 0o600),
        ("two", "a\nb\n", 0o600),
    ]:
        (tmp_path / f"{name}.key").write_text(text)
        (tmp_path / f"{name}.key").chmod(mode)

    def made(*words: str, env=None) -> tuple[int, str]:
        for name, value in (env or {}).items():
            monkeypatch.setenv(name, value)
        code = main([*words, "--state", str(tmp_path / "state")])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.err

    return made


@pytest.mark.parametrize(
    ("words", "env", "said", "advice"),
    [
        (("./imagse",), ACCOUNT, "cannot scan './imagse': No such file", "mean './images'?"),
        (("~/images",), ACCOUNT, "cannot scan '~/images'", "without"),
        (("images",), {}, "e-mail address and the API key are missing", "batchscan init"),
        (("images",), {}, "are missing", "`batchscan demo` needs no account"),
        (("images",), {"COPYLEAKS_EMAIL": "a@b.cd"}, "the API key is missing", "batchscan init"),
        (("images",), {"COPYLEAKS_API_KEY": "k"}, "e-mail address is missing", "account.email"),
        (("-c", "none.yaml", "images"), ACCOUNT, "none.yaml: cannot be read", "init -c"),
        (("report", "--htm", "x"), {}, "No such option '--htm'", "'--html'"),
        (("mark", "reviewd", "a.example"), {}, "'reviewd' is not a decision", "mean reviewed?"),
        (("-o", "file", "images"), ACCOUNT, "file/runs", "choose another folder"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_what_to_do(mistake, words, env, said, advice):
    code, err = mistake(*words, env=env)
    assert code in (2, 9)
    assert said in err
    assert advice in err.partition(said)[2]


@pytest.mark.parametrize("key", ["none.key", "open.key", "empty.key", "two.key", "folder"])
def test_every_key_that_cannot_be_used_is_named_with_what_to_do(mistake, key):
    code, err = mistake(
        "images", env={"COPYLEAKS_EMAIL": "ada@example.test", "COPYLEAKS_API_KEY_FILE": key}
    )
    what, _, advice = err.rstrip().rpartition("\n")
    assert code == 2
    assert f"/{key}: " in what
    assert any(word in advice for word in ("batchscan init", "chmod 600", "put the API key"))


@pytest.mark.parametrize(("word", "meant"), [("reprt", "help report"), ("exit-code", "help exit")])
def test_a_topic_that_is_misspelled_is_answered_with_the_page(capsys, word, meant):
    assert main(["help", word]) == 2
    err = capsys.readouterr().err
    assert f"no command and no topic is called '{word}'" in err
    assert f"did you mean `batchscan {meant}" in err


def test_a_service_that_cannot_be_reached_is_no_answer_that_is_odd(mistake):
    code, err = mistake("credits", env={**ACCOUNT, **NOWHERE})
    assert code == 8
    assert "cannot be reached: no connection to 127.0.0.1:9: Connection refused" in err
    assert "check the network connection" in err


async def test_a_port_in_use_is_called_that():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="address already in use") as caught:
            await asyncio.start_server(lambda *_: None, "127.0.0.1", port)

    error = port_error(port, caught.value)
    assert str(error) == f"port {port} is already in use"
    assert str(port_error(80, PermissionError(13, "error while binding"))) == (
        "port 80: Permission denied"
    )
