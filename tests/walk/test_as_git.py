import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.places import found, touch

PATTERNS = [
    "*.png",
    "!a.png",
    "a",
    "a/",
    "/a",
    "b/*.png",
    "**/b",
    "b/**",
    "a/**/c.png",
    "b/",
    "!b/",
    "*",
    "!*/",
    "!*.png",
    "c.*",
    "[ab].png",
    "?.png",
    "/b/a",
    "!/b/a.png",
    "a*",
    "*b*",
    "\\a.png",
    "!c.png",
    "#a",
    "\\#a",
    "!b",
    "/*",
    "!/a",
    "**",
    "b/**/",
    "/**",
    "!b/**",
    "!b/a",
    "!/b/",
    "*/",
    "*a*b*.png",
    "a*/*c*.p*g",
    "*/b*/*n*g",
]
FOLDERS = ["", "a/", "b/", "a/b/", "b/a/", "b/a/c/", "c/"]
NAMES = ["a.png", "b.png", "c.png", "ab.png"]

ignore_files = st.dictionaries(
    st.sampled_from(FOLDERS), st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=4)
)


@pytest.fixture(scope="module")
def repository():
    with tempfile.TemporaryDirectory() as folder:
        root = touch(Path(folder), *(place + name for place in FOLDERS for name in NAMES))
        git(root, "init", "-q")
        yield root


def git(root: Path, *words: str) -> bytes:
    alone = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    return subprocess.run(
        ["git", *words], cwd=root, env=alone, check=True, capture_output=True
    ).stdout


@pytest.mark.skipif(not shutil.which("git"), reason="git is what this is compared with")
@settings(max_examples=60)
@given(ignore_files)
def test_what_ignore_files_leave_out_is_what_git_would(repository, contents):
    for place in FOLDERS:
        for name in (".gitignore", ".batchscanignore"):
            (repository / place / name).write_text("\n".join(contents.get(place, [])))
    others = (
        git(repository, "ls-files", "--others", "--exclude-standard", "-z").decode().split("\0")
    )

    assert found(repository) == sorted(name for name in others if name.endswith(".png"))
