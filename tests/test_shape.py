"""The sizes that the code is held to, and what a program may import."""

from __future__ import annotations

import ast
import builtins
import re
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

import batchscan
from batchscan.ledger.migrate import name_of, schema_of
from batchscan.ledger.schema import VERSION
from batchscan.version import user_agent, version

PACKAGE = Path(batchscan.__file__).parent
REPOSITORY = Path(__file__).parent.parent
MODULES = sorted(PACKAGE.rglob("*.py"))


@cache
def trees() -> dict[Path, ast.Module]:
    """All modules, parsed when the first test asks: every worker collects this file."""
    return {path: ast.parse(path.read_text()) for path in MODULES}


@cache
def nodes() -> dict[Path, list[ast.AST]]:
    """What the modules consist of; walking through them takes as long as parsing them."""
    return {path: list(ast.walk(tree)) for path, tree in trees().items()}


@cache
def nodes_of_tests() -> dict[str, list[ast.AST]]:
    """What the modules of the tests consist of, by their paths in `tests`."""
    tests = Path(__file__).parent
    return {
        path.relative_to(tests).as_posix(): list(ast.walk(ast.parse(path.read_text())))
        for path in tests.rglob("*.py")
    }


@cache
def functions() -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    return {
        f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}": node
        for path, found in nodes().items()
        for node in found
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    length = (node.end_lineno or 0) - node.lineno + 1
    if ast.get_docstring(node) is not None:
        docstring = node.body[0]
        length -= (docstring.end_lineno or 0) - docstring.lineno + 1
    return length


# Longer for a reason: splitting them would part what is read together.
LONG = {
    "settings/model.py": 345,  # every setting, in one place
    "model.py": 310,  # the types of a picture on its way, in their order
    "ledger/schema.py": 500,  # the migrations are one sequence, and every version adds to it
    "results.py": 310,  # the fields of a line, and their file
}


def test_no_module_is_longer_than_300_lines_and_half_are_shorter_than_120():
    lengths = {
        str(path.relative_to(PACKAGE)): len(path.read_text().splitlines()) for path in MODULES
    }

    assert {name for name, length in lengths.items() if length > LONG.get(name, 300)} == set()
    assert statistics.median(lengths.values()) <= 120


def test_no_function_is_longer_than_40_lines():
    long = {name.split()[1] for name, function in functions().items() if lines_of(function) > 40}

    assert long == set()


# Names that a program or a report knows, so that neither of the two classes can take another one.
CLASSES_OF_ONE_NAME = {
    "Alerts": "a group of settings, and a section of report.json",
    "Api": "a group of settings, and a section of report.json",
    "Engine": "a group of settings, and the protocol of what it chooses",
    "Scan": "a group of settings, and the run itself",
}


def test_no_two_classes_have_one_name():
    places = defaultdict(list)
    for path, found in nodes().items():
        for node in found:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    twice = {name: found for name, found in places.items() if len(found) > 1}

    assert {name: twice[name] for name in twice.keys() - CLASSES_OF_ONE_NAME.keys()} == {}
    assert twice.keys() == CLASSES_OF_ONE_NAME.keys()


# A command is declared in `cli/` and done in `commands/`, and the tables that somebody works with
# are in `ledger/`, under that name.
PAIRED = {"cli", "commands", "ledger"}
# Elsewhere the package says which one is meant.
MODULES_OF_ONE_NAME = {
    "client", "connections", "errors", "folders", "index", "interface", "local", "markdown",
    "messages", "model", "pages", "pool", "raw", "renditions", "rules", "run", "select",
    "sending", "server", "wording",
}  # fmt: skip


def test_no_two_modules_have_one_name_where_their_packages_do_not_say_which_is_meant():
    packages = defaultdict(list)
    for path in MODULES:
        if not path.stem.startswith("__"):
            packages[path.stem].append(path.relative_to(PACKAGE).parent.as_posix())
    twice = {
        name
        for name, found in packages.items()
        if len(found) > 1 and not (len(found) == 2 and PAIRED & set(found))
    }

    assert twice == MODULES_OF_ONE_NAME


def test_only_the_command_line_prints():
    printing = {
        path.relative_to(PACKAGE).parts[0]
        for path, found in nodes().items()
        for node in found
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    }

    assert printing <= {"cli", "commands", "console"}


# What opens connections, or waits for them.
NETWORK = {
    "aiohttp", "apprise", "asyncssh", "distributed", "fsspec", "ftplib", "http.client",
    "http.server", "httpx", "imaplib", "paramiko", "poplib", "requests", "smtplib", "socket",
    "socketserver", "urllib.request", "urllib3", "websockets", "xmlrpc",
}  # fmt: skip
CONNECTING = {
    "create_connection", "create_datagram_endpoint", "create_server", "open_connection",
    "sock_connect", "start_server", "urlopen",
}  # fmt: skip
# Who may, and to whom. `stores` is found by none of these names: it loads its clients by theirs.
CONNECTED = {
    "alerts": "the targets that the user names",
    "capture": "timestamp authorities that the user names; the browser's way out",
    "copyleaks": "the vendor",
    "emulator": "loopback",
    "engines": "the user's cluster",
    "images/decoding": "its own child processes, by pairs of sockets",
    "monitoring": "the heartbeat's address",
    "review": "loopback",
    "web_client": "sites that answers named, behind the rules of addresses",
}


def test_sockets_are_opened_where_a_reader_expects_them_and_nowhere_else():
    connecting = {
        path.relative_to(PACKAGE).as_posix()
        for path, found in nodes().items()
        if any(map(connects, found))
    }
    owners = {
        next((owner for owner in CONNECTED if path.startswith(f"{owner}/")), path)
        for path in connecting
    }

    assert owners == set(CONNECTED)


def connects(node: ast.AST) -> bool:
    """Whether a statement imports what opens connections, or a call opens one."""
    if isinstance(node, ast.Import):
        return any(names_network(alias.name) for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        modules = [f"{node.module}.{alias.name}" for alias in node.names]
        return any(map(names_network, [node.module or "", *modules]))
    return isinstance(node, ast.Attribute) and node.attr in CONNECTING


def names_network(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in NETWORK)


def test_what_the_package_offers_is_there_and_nothing_else_is():
    for name in batchscan.__all__:
        assert getattr(batchscan, name) is not None
    assert dir(batchscan) == batchscan.__all__
    with pytest.raises(AttributeError, match="nonsense"):
        batchscan.nonsense  # noqa: B018


def test_the_package_is_typed_and_knows_its_version():
    assert (PACKAGE / "py.typed").exists()
    assert version() == metadata.version("batchscan")
    assert version() in user_agent()


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, batchscan; print(*sys.modules)"
    process = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )

    assert not {"aiohttp", "PIL", "rawpy", "yaml", "numpy"} & set(process.stdout.split())


def test_no_test_module_imports_from_another():
    importing = {
        path
        for path, found in nodes_of_tests().items()
        for node in found
        if isinstance(node, ast.ImportFrom) and ".test_" in (node.module or "")
    }

    assert importing == set()


# Folders whose tests look at whole scans, pages or programs: their files are named after behaviour.
WHOLE = {"benchmarks", "browser", "demo", "run", "security", "stores"}
# Elsewhere what spans several modules of a folder has a name of its own:
SPANNING = {
    "cli/test_mistakes": "what a newcomer does wrong, with any command",
    "cli/test_streams": "any command without stdin, stdout or stderr",
    "copyleaks/test_stray_bytes": "bytes that belong to no answer, from the transport to the client",
    "emulator/test_command": "`batchscan emulator`",
    "emulator/test_copies": "the search: copies, and what is none",
    "emulator/test_search": "the search: the folder that is the web",
    "evidence/test_captures": "captures: in a pack, on its page, verified",
    "images/conversion/test_colours": "colours, through each conversion",
    "images/decoding/test_damaged_files": "damaged files, through each decoder",
    "images/decoding/test_huge_pictures": "huge pictures, through each decoder",
    "ledger/test_together": "several processes with one ledger",
    "pace/test_logins": "several processes with one login budget",
    "pace/test_rates": "rates, against a service with strict windows",
    "recheck/test_command": "`batchscan recheck`",
    "recheck/test_recheck": "a recheck over real sockets",
    "recheck/test_shown": "rechecks in reports and in what is handed over",
    "recheck/test_tls": "sites over TLS",
    "renditions/test_adversaries": "pictures that differ in little",
    "report/test_formats": "what all formats have in common",
    "review/test_allowed": "the page and allow rules",
    "review/test_attacks": "the page and attackers",
    "review/test_beside_a_scan": "the page beside a scan",
    "review/test_capturing": "captures from the page",
    "review/test_command": "`batchscan review`",
    "review/test_deciding": "decisions made on the page",
    "review/test_showing": "what the page shows",
    "schedule/test_command": "`batchscan schedule`",
    "schedule/test_running": "systemd and cron run what is printed",
    "stats/test_statistics": "`batchscan stats`",
    "test_packaging": "the wheel and the sdist",
    "test_readme": "the commands of the documentation",
    "test_shape": "sizes and names of the code",
    "test_forks": "the processes of the tests",
    "test_skipping": "the simulated time of the tests",
    "walk/test_as_git": "a walk held against git's",
    "web_client/test_hostile_sites": "sites that mean harm",
    "web_client/test_manners": "robots.txt, and how often a site is asked",
}


def test_test_files_are_named_after_the_module_that_they_test():
    """`tests/FOLDER/test_MODULE.py`, or `test_MODULE_SUBJECT.py` where a module has several."""
    tests = Path(__file__).parent
    unnamed = {
        path.relative_to(tests).with_suffix("").as_posix()
        for path in tests.rglob("test_*.py")
        if path.relative_to(tests).parts[0] not in WHOLE and not names_module(path, tests)
    }

    assert unnamed == SPANNING.keys()


def names_module(path: Path, tests: Path) -> bool:
    words = path.stem.removeprefix("test_").split("_")
    folder = PACKAGE / path.parent.relative_to(tests)
    names = ("_".join(words[:end]) for end in range(len(words), 0, -1))
    return any((folder / f"{name}.py").exists() for name in names)


# Private by their leading underscore alone: `namedtuple` and click offer them.
OFFERED = {"_protected_args", "_replace"}
INSIDE = "support/inside.py"  # where tests look behind interfaces, for all of them
MAX_PRIVATE = 11  # ask a public question, or a helper of `inside`


def test_tests_look_behind_interfaces_in_one_place():
    private = [
        f"{path}:{node.lineno} {ast.unparse(node)}"
        for path, found in nodes_of_tests().items()
        if path != INSIDE
        for node in found
        if isinstance(node, ast.Attribute) and is_private(node)
    ]

    assert not [place for place in private if "._connection" in place]
    assert len(private) <= MAX_PRIVATE, private


def is_private(node: ast.Attribute) -> bool:
    """Whether a private member of something else than the object itself is named."""
    own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
    private = node.attr.startswith("_") and not node.attr.startswith("__")
    return private and not own and node.attr not in OFFERED


def test_what_pages_for_contributors_name_is_there():
    for page in ("ARCHITECTURE.md", "CONTRIBUTING.md"):
        text = (REPOSITORY / ".github" / page).read_text()
        named = re.findall(r"`([a-z_]+(?:/[a-z_0-9]+)+)(?:\.py)?`", text)
        missing = {
            name
            for name in named
            if not any(
                (folder / f"{name}{suffix}").exists()
                for folder in (PACKAGE, REPOSITORY)
                for suffix in ("", ".py")
            )
        }
        assert missing == set()


# Passed on from libraries, by code that need not name them.
FOREIGN = {"HTTPRequestEntityTooLarge", "LibRawError"}


def test_docstrings_name_exceptions_and_arguments_that_exist():
    names = {
        name
        for found in nodes().values()
        for node in found
        for name in (
            getattr(node, "name", None),
            node.id if isinstance(node, ast.Name) else None,
            node.attr if isinstance(node, ast.Attribute) else None,
        )
        if name is not None
    }
    names |= FOREIGN | set(dir(builtins))

    unknown = {
        f"{where}: {name}"
        for where, function in functions().items()
        for name in (
            *(word for word in documented(function, "Raises") if word not in names),
            *(word for word in documented(function, "Args") if word not in arguments_of(function)),
        )
    }

    assert unknown == set()


def documented(function: ast.FunctionDef | ast.AsyncFunctionDef, section: str) -> Iterator[str]:
    """The names in a section of a docstring: `Name: ...` or `Name, Name: ...`."""
    _, _, text = (ast.get_docstring(function) or "").partition(f"{section}:\n")
    for names in re.findall(r"^ {4}(\w[\w., ()]*):", text.split("\n\n")[0], re.MULTILINE):
        yield from (word.rpartition(".")[2] for word in re.findall(r"[\w.]+", names))


def arguments_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    spelled = function.args
    every = [*spelled.posonlyargs, *spelled.args, *spelled.kwonlyargs, spelled.vararg]
    return {argument.arg for argument in every if argument is not None}


def test_the_architecture_page_names_every_folder_every_root_module_and_every_table():
    page = (REPOSITORY / ".github" / "ARCHITECTURE.md").read_text()
    folders = {f"{path.parent.name}/" for path in PACKAGE.glob("*/__init__.py")}
    modules = {path.name for path in PACKAGE.glob("*.py") if not path.name.startswith("__")}
    tables = {name_of(made) for made in schema_of(VERSION) if made.startswith("CREATE TABLE")}

    assert {folder for folder in folders if f"`{folder}`" not in page} == set()
    assert set(re.findall(r"`(\w+\.py)`", page)) == modules
    assert {table for table in tables if re.search(rf"\b{table}\b", page) is None} == set()
