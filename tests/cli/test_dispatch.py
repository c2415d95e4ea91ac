from __future__ import annotations

import fcntl
import importlib.metadata
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

from batchscan.cli import main
from batchscan.cli.dispatch import COMMANDS


def test_nothing_at_all_prints_a_short_help_of_the_commands_and_exits_2(run):
    done = run()
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Usage: batchscan [OPTIONS] PATH..." in done.stderr
    assert all(f"\n  {name} " in done.stderr for name in COMMANDS if name != "scan")
    assert "--rate" not in done.stderr
    assert max(map(len, done.stderr.splitlines())) <= 80


def test_help_shows_the_commands_or_the_page_of_one(run):
    done = run("help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.rstrip() == run().stderr.rstrip()
    assert run("help", "mark").stdout == run("mark", "--help").stdout
    assert run("help", "allow", "add").stdout == run("allow", "add", "--help").stdout
    assert run("help", "scan").stdout == run("--help").stdout
    wrong = run("help", "takedwon")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "did you mean `batchscan help takedown`?" in wrong.stderr


def test_a_help_page_imports_nothing_that_only_a_command_needs():
    code = "import sys; from batchscan.cli import main; main(['--help']); print(*sys.modules)"
    environ = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ
    )

    loaded = set(shown.stdout.splitlines()[-1].split())
    assert "batchscan.settings.model" in loaded
    needless = {"aiohttp", "asyncio", "importlib.metadata", "numpy", "pathspec", "PIL", "sqlite3"}
    assert not loaded & needless


def test_help_shows_a_topic_and_the_options_of_a_command_of_that_name(run):
    files = run("help", "files")
    takedown = run("help", "takedown")

    assert files.returncode == takedown.returncode == 0
    assert files.stdout.startswith("Files and formats\n=================\n")
    assert takedown.stdout.startswith("Takedown notices\n")
    assert run("takedown", "--help").stdout in takedown.stdout
    assert run("help", "CRON").stdout == run("help", "schedule").stdout
    assert "`batchscan help budgets`" in run("help", "budget").stderr


def test_help_goes_through_the_pager_where_stdout_is_a_terminal(environ):
    program = [sys.executable, "-m", "batchscan", "help", "exit-codes"]
    leader, follower = pty.openpty()
    process = subprocess.run(
        program,
        env={**environ, "PAGER": "sed s/^/paged:/"},
        stdin=follower,
        stdout=follower,
        stderr=follower,
        check=False,
    )
    os.close(follower)

    assert process.returncode == 0
    assert b"paged:Exit codes" in os.read(leader, 100)
    os.close(leader)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("scann", "scan"),
        ("reprot", "report"),
        ("Export", "export"),
        ("halp", "help"),
        ("doctro", "doctor"),
    ],
)
def test_a_word_that_is_nearly_a_command_is_answered_with_it_before_credentials(run, word, meant):
    done = run(word, "./x")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"did you mean `batchscan {meant}`?" in done.stderr
    assert "API key" not in done.stderr


@pytest.mark.parametrize("words", [["-v", "report"], ["-n", "report"], ["-q", "help"]])
def test_a_command_behind_options_is_told_its_place_before_credentials(run, tmp_path, words):
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"its options follow: `batchscan {words[1]}`" in done.stderr
    assert "API key" not in done.stderr
    (tmp_path / words[1]).mkdir()
    assert "its options follow" not in run(*words).stderr


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_the_help_of_help_is_the_list_of_what_it_explains(run, flag):
    assert (run("help", flag).returncode, run("help", flag).stdout) == (0, run("help").stdout)


def test_a_folder_that_is_called_nearly_like_a_command_is_scanned(run, tmp_path):
    (tmp_path / "reports").mkdir()
    assert run("-n", "reports").returncode == 0
    assert run("-n", "./reprot").returncode == 2
    (tmp_path / "reprot").mkdir()
    assert run("-n", "reprot").returncode == 0


@pytest.mark.parametrize(
    "words", [["mark"], ["mark", "frobnicated", "x.com"], ["export", "--format", "x"]]
)
def test_what_click_says_over_several_lines_is_on_one(run, words):
    said = run(*words).stderr
    assert "\\n" not in said
    assert "\\t" not in said


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_goes_to_stdout_fits_80_columns_and_ends_with_codes_and_examples(run, word):
    done = run(word)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "Exit codes:" in lines
    assert lines[-3] == "Examples:"


def test_help_fits_a_narrow_terminal(environ):
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 50, 0, 0))
    program = [sys.executable, "-m", "batchscan", "credits", "--help"]
    subprocess.run(program, env=environ, stdout=follower, check=True)
    os.close(follower)

    lines = os.read(leader, 4000).decode().splitlines()
    os.close(leader)
    assert len(lines) > 5
    assert max(map(len, lines)) <= 50


def test_help_needs_neither_the_network_nor_pictures_nor_yaml(run, environ):
    for name in [name for name in environ if name.startswith("COVERAGE_")]:
        del environ[name]  # measuring imports much by itself
    done = run("--help", env={"PYTHONPROFILEIMPORTTIME": "1"})
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "click" in imported
    assert not imported & {"aiohttp", "PIL", "yaml", "msgspec", "asyncio", "tqdm", "sqlite3"}


def test_version_is_that_of_the_package(run):
    done = run("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"batchscan {importlib.metadata.version('batchscan')}\n"


BOOKS = {
    "alerts": ("test", "pending", "send"),
    "allow": ("add", "list"),
    "evidence": ("pack", "verify"),
    "renditions": ("list", "split", "join"),
    "state": ("stats", "check", "backup", "prune", "vacuum"),
}
OTHERS = ("demo", "emulator", "init", "completion")  # which need no state folder
PAGES = [name for name in COMMANDS if name not in (*OTHERS, *BOOKS)]
PAGES += [f"{book} {page}" for book, pages in BOOKS.items() for page in pages]


@pytest.mark.parametrize("name", PAGES)
def test_every_command_has_a_help_page_with_the_three_options_of_all(capsys, name):
    assert main([*name.split(), "--help"]) == 0
    page = capsys.readouterr().out
    assert page.startswith(f"Usage: batchscan{'' if name == 'scan' else f' {name}'} [OPTIONS]")
    assert "-c, --config FILE" in page
    assert "-o, --output DIR" in page
    assert "--state DIR" in page


@pytest.mark.parametrize(("book", "pages"), BOOKS.items())
def test_a_command_of_commands_alone_prints_its_help_and_exits_2(capsys, book, pages):
    assert main([book]) == 2
    alone = capsys.readouterr()
    assert main([book, "--help"]) == 0
    asked = capsys.readouterr()
    assert (alone.out, asked.err) == ("", "")
    assert alone.err == asked.out
    for page in pages:
        assert f"\n  {page} " in asked.out
    assert main([book, "frobnicate"]) == 2
    assert "No such command 'frobnicate'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["--frobnicate", "x"], ["report", "--frobnicate"], ["./x", "--rate"]]
)
def test_an_unknown_or_incomplete_flag_exits_2_and_names_the_help(capsys, words):
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("batchscan: ")
    assert "--help`" in said.err


@pytest.mark.parametrize(
    ("words", "page"),
    [
        (["report", "--html"], "report"),
        (["mark", "reviewed", "a.example", "--note"], "mark"),
        (["evidence", "pack", "--to"], "evidence pack"),
        (["state", "prune", "--frobnicate"], "state prune"),
    ],
)
def test_a_flag_that_is_wrong_names_the_help_of_its_own_command(capsys, words, page):
    assert main(words) == 2
    assert f"see `batchscan {page} --help`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["--hlep"], "--help"),
        (["--versoin"], "--version"),
        (["--max-credit", "5"], "--max-credits"),
    ],
)
def test_an_unknown_flag_is_answered_with_the_nearest_one(capsys, words, meant):
    assert main(words) == 2
    assert f"Did you mean '{meant}'?" in capsys.readouterr().err


def test_a_flag_that_is_near_to_none_is_answered_with_none(capsys):
    assert main(["report", "--since", "yesterday"]) == 2
    assert "Did you mean" not in capsys.readouterr().err


def test_any_other_first_word_is_a_scan(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["--dry-run"]) == 2
    assert "no PATH was given" in capsys.readouterr().err


def test_a_wrong_setting_exits_2_before_anything_happens(run, tmp_path):
    done = run(".", "--rate", "0/s")
    assert done.returncode == 2
    assert done.stderr.startswith("batchscan: flag --rate: pace.rate: found '[0/s]'; allowed: ")
    assert not list(tmp_path.iterdir())


def test_flags_that_come_with_later_versions_are_unknown(run):
    assert run(".", "--dask", "tcp://x").returncode == 2


def test_missing_credentials_exit_2_and_say_what_is_missing(run):
    done = run(".")
    assert done.returncode == 2
    assert "e-mail address and the API key are missing" in done.stderr
    assert "COPYLEAKS_API_KEY_FILE" in done.stderr


@pytest.mark.parametrize("env", [{"LC_ALL": "C"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0"}])
def test_odd_names_are_printable_in_every_locale(run, env):
    done = run("takedown", env=env)
    assert done.returncode == 2
    done = run("--config", "m\udcffi\u202ess\x1b[2J.yaml", ".", env=env)
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert "\\x1b[2J.yaml: cannot be read: No such file" in done.stderr


def test_help_works_without_a_home(run):
    assert run("--help", env={"HOME": ""}).returncode == 0
