from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from batchscan.cli import main
from batchscan.cli.dispatch import COMMANDS, SUMMARIES


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
        ("batchscan --check = fa", plain("fast")),  # as bash splits --check=fa
        ("batchscan --check=fa", plain("--check=fast")),
        ("batchscan --if-locked=", [f"plain,--if-locked={w}" for w in ("fail", "wait", "skip")]),
        ("batchscan mark re", plain("reviewed", "removed")),
        ("batchscan mark --note why re", plain("reviewed", "removed")),
        ("batchscan mark reviewed ", []),
        ("batchscan credits ", []),
        ("batchscan state backup ", ["file,"]),
        ("batchscan renditions join a.jpg ", ["file,"]),
        ("batchscan renditions join a.jpg b.jpg ", []),
        ("batchscan evidence capture --disposition not", plain("noticed", "not_mine")),
        ("batchscan schedule --cron --max-c", plain("--max-credits")),
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


LINES = [
    ("batchscan sched", "schedule"),
    ("batchscan --max-cr", "--max-credits"),
    ("batchscan ./images --check fu", "./images --check full"),
    ("batchscan --check=fu", "--check=full"),
    ("batchscan state ba", "state backup"),
    ("batchscan mark revi", "mark reviewed"),
    ("batchscan recheck --disposition noti", "recheck --disposition noticed"),
    ("batchscan schedule --cron --max-cr", "schedule --cron --max-credits"),
    ("batchscan help exit", "help exit-codes"),
    ("batchscan report --html a", "report --html a,b.html"),
    ("batchscan -o some-f", "-o some-folder"),
    ("batchscan ./some-f", "./some-folder"),
]


@pytest.fixture
def shell(tmp_path, environ):
    """A folder with something to complete, and an environment in which shells find batchscan."""
    (tmp_path / "some-folder").mkdir()
    (tmp_path / "a,b.html").touch()
    path = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    return tmp_path, {**environ, "PATH": path, "HOME": str(tmp_path), "TERM": "dumb"}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_completes_with_the_script(shell):
    folder, env = shell
    # Typed lines run a function that shows its words between bytes that no echo has.
    program = (
        'autoload -Uz compinit && compinit -D -u; eval "$(batchscan completion zsh)";'
        " batchscan() { print -rn -- $'\\x02'\"$*\"$'\\x03' }; batchscan\r"
    )
    found: list[str] = []
    leader, follower = pty.openpty()
    with subprocess.Popen(
        ["zsh", "-f"],
        cwd=folder, env=env, stdin=follower, stdout=follower, stderr=follower,
        start_new_session=True,
    ) as process:  # fmt: skip
        os.close(follower)
        for line in [program, *(f"{line}\t\r" for line, _ in LINES)]:
            os.write(leader, line.encode())
            seen = b""
            while b"\x03" not in seen:
                seen += os.read(leader, 1000)
            found.append(seen.partition(b"\x02")[2].partition(b"\x03")[0].decode().strip())
        process.kill()
    os.close(leader)

    assert [line.replace("\\", "") for line in found[1:]] == [expected for _, expected in LINES]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes_with_the_script(shell):
    folder, env = shell
    asked = "; ".join(f"complete -C '{line}'; echo ==" for line, _ in LINES)
    program = f"batchscan completion fish | source; {asked}; complete -C 'batchscan expor'"
    done = subprocess.run(
        ["fish", "-N", "-c", program],
        cwd=folder, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip

    *answers, export = done.stdout.split("==\n")
    found = [answer.strip().partition("\t")[0].rstrip("/") for answer in answers]
    assert found == [expected.rpartition(" ")[2] for _, expected in LINES], done.stderr
    assert export.strip() == f"export\t{SUMMARIES['export']}"  # with its comma


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
