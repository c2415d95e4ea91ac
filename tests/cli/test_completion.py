from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from batchscan.cli import main
from batchscan.cli.dispatch import COMMANDS


@pytest.fixture
def complete(monkeypatch, capsys):
    """What may come next on a command line, as the shells' scripts ask for it."""

    def ask(line: str, shell: str = "bash") -> list[str]:
        words = line.split(" ")
        monkeypatch.setenv("_BATCHSCAN_COMPLETE", f"{shell}_complete")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", words[-1] if shell == "fish" else str(len(words) - 1))
        assert main([]) == 0
        return list(capsys.readouterr().out.split("\n"))

    return ask


def plain(*words: str) -> list[str]:
    return [f"plain,{word}" for word in words]


def test_the_first_word_may_be_a_command_or_a_path(complete):
    found = complete("batchscan ")
    assert set(plain(*COMMANDS)) <= set(found)
    assert "file," in found
    assert [*plain("evidence"), "file,evi", ""] == complete("batchscan evi")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("batchscan --max-c", plain("--max-credits")),
        ("batchscan ./images --che", plain("--check")),
        ("batchscan --check ", plain("full", "fast")),
        ("batchscan --check fu", plain("full")),
        ("batchscan --config ", ["file,"]),
        ("batchscan -o ", ["dir,"]),
        ("batchscan state ba", plain("backup")),
        ("batchscan state check --sta", plain("--state")),
        ("batchscan export --format ", plain("jsonl", "csv")),
        ("batchscan help exit", plain("exit-codes")),
        ("batchscan report --html ", ["file,"]),
        ("batchscan completion ", plain("bash", "zsh", "fish")),
    ],
)
def test_options_values_and_topics_are_completed(complete, line, found):
    assert [line for line in complete(line) if line] == found


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_ask_in_the_same_way(complete, shell):
    assert "demo" in "\n".join(complete("batchscan de", shell))


def test_an_unknown_shell_gets_nothing(monkeypatch, capsys):
    monkeypatch.setenv("_BATCHSCAN_COMPLETE", "csh_complete")
    assert main([]) == 0
    assert capsys.readouterr().out.strip() == ""


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_script_names_the_program_and_the_variable(capsys, shell):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "_BATCHSCAN_COMPLETE" in script
    assert "batchscan" in script


@pytest.mark.slow
def test_bash_completes_with_the_script(environ):
    program = f"""
    eval "$({sys.executable} -m batchscan completion bash 2>/dev/null)"
    COMP_WORDS=(batchscan state ba) COMP_CWORD=2
    _batchscan_completion {Path(sys.executable).parent}/batchscan
    echo "${{COMPREPLY[*]}}"
    """
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run(
        [bash, "-c", program], env=environ, capture_output=True, text=True, check=False
    )

    assert done.stdout == "backup\n", done.stderr
