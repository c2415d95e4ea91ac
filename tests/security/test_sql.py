"""Queries are made of constants of the code; values come in as parameters only."""

from __future__ import annotations

import ast
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

import batchscan
from batchscan.ledger import Ledger, Realm
from batchscan.model import Stat
from tests.support.ledgers import answer, image
from tests.support.settling import settle

PACKAGE = Path(batchscan.__file__).parent
EXECUTES = {"execute", "executemany", "executescript"}


def queries_not_constant(source: str) -> list[str]:
    """Every query in a module that holds something besides the code's own constants."""
    tree = ast.parse(source)
    return [
        f"line {call.lineno}: {ast.unparse(call.args[0])[:70]}"
        for call in calls_of(tree, EXECUTES)
        if call.args and not _Constants(tree, call).holds(call.args[0])
    ]


def calls_of(tree: ast.AST, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) if name in names:
                yield node
            case _:
                pass


class _Constants:
    """Whether an expression is made of constants, as far as its module tells."""

    def __init__(self, tree: ast.Module, inside: ast.AST) -> None:
        self._tree = tree
        self._function = next(
            (
                node
                for node in ast.walk(tree)
                if isinstance(node, ast.FunctionDef) and inside in ast.walk(node)
                and not any(isinstance(below, ast.FunctionDef) and inside in ast.walk(below)
                            for below in ast.walk(node) if below is not node)
            ),
            None,
        )  # fmt: skip

    def holds(self, node: ast.AST) -> bool:
        match node:
            case ast.JoinedStr(values=values):
                return all(map(self.holds, values))
            case ast.FormattedValue(value=value) | ast.Subscript(value=value):
                return self.holds(value)
            case ast.BinOp(left=left, right=right) | ast.IfExp(body=left, orelse=right):
                return self.holds(left) and self.holds(right)
            case ast.Name(id=name):
                return self._named(name)
            case _:
                return isinstance(node, ast.Constant) or _is_marks(node)

    def _named(self, name: str) -> bool:
        function = self._function
        if function is not None:
            for node in ast.walk(function):
                match node:
                    case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                        return self.holds(value)
                    case (
                        ast.For(target=ast.Name(id=target), iter=several)
                        | ast.comprehension(target=ast.Name(id=target), iter=several)
                    ) if target == name:
                        return self._each_holds(several)
                    case _:
                        pass
            arguments = [argument.arg for argument in function.args.args]
            if name in arguments:
                return self._always_given_constants(function, arguments.index(name))
        return name.isupper()  # a constant of this module, or of one it imports

    def _each_holds(self, several: ast.expr) -> bool:
        """Whether what a loop goes over is made of constants: a range, a tuple, parts of a script."""
        match several:
            case ast.Call(func=ast.Name(id="range")):
                return True
            case ast.Tuple(elts=parts) | ast.Call(func=ast.Name(), args=parts, keywords=[]):
                return bool(parts) and all(map(self.holds, parts))
            case _:
                return False

    def _always_given_constants(self, function: ast.FunctionDef, index: int) -> bool:
        if not function.name.startswith("_"):
            return False  # anybody may call it, with anything
        calls = list(calls_of(self._tree, {function.name}))
        return bool(calls) and all(
            _Constants(self._tree, call).holds(call.args[index - 1]) for call in calls
        )


def _is_marks(node: ast.AST) -> bool:
    """Whether this is `",".join("?" * len(names))`, or the same with `["(?, ?)"]`."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Constant(), attr="join"),
            args=[ast.BinOp(left=ast.Constant() | ast.List(elts=[ast.Constant()]), op=ast.Mult())],
        ):
            return True
        case _:
            return False


@pytest.mark.parametrize("path", [p.relative_to(PACKAGE) for p in PACKAGE.rglob("*.py")], ids=str)
def test_no_query_is_built_of_anything_but_constants(path):
    assert queries_not_constant((PACKAGE / path).read_text()) == []


def test_there_are_queries_to_look_at():
    count = sum(
        len(list(calls_of(ast.parse(path.read_text()), EXECUTES))) for path in PACKAGE.rglob("*.py")
    )
    assert count > 40


@pytest.mark.parametrize(
    "body",
    [
        "connection.execute(f'SELECT {path}')",
        "connection.execute('SELECT ' + path)",
        "connection.execute('SELECT %s' % path)",
        "connection.execute('SELECT {}'.format(path))",
        "connection.execute(path)",
        "connection.executemany(','.join(path), ())",
        "query = f'SELECT {path}'\n    connection.execute(query)",
        "connection.executescript(path.read_text())",
    ],
)
def test_a_query_with_a_value_in_it_would_be_found(body):
    assert queries_not_constant(f"def f(self, connection, path):\n    {body}\n")


EVIL = "'; DROP TABLE claims; --\"`)\x00%_\ud800".replace("\ud800", "\udcff")


def test_names_and_answers_that_look_like_queries_are_only_values(tmp_path):
    ledger = Ledger.open(tmp_path, Realm(f"https://x.test/{EVIL[:20]}", False))
    with ledger.transaction():
        picture = image(f"/p/{EVIL}/{EVIL}.png")
        claim = ledger.claims.open(picture, 1, EVIL[:20], 1.0)
        settle(ledger, claim, answer(f"https://{EVIL[:20]}"), EVIL[:20])
        ledger.files.upsert(picture.path, Stat(1, 1, 1), picture_id=claim.picture_id)
        ledger.runs.begin(EVIL[:20], f"/r/{EVIL}", 1.0)
        ledger.runs.add_outcome(EVIL[:20], b"{}", 1)
        assert ledger.known.lookup(picture.sha256).answer is not None
        assert [file.path for file in ledger.reporting.files()] == [picture.path]
        assert [run.run_id for run in ledger.runs.unclosed()] == [EVIL[:20]]
    ledger.close()
    with sqlite3.connect(tmp_path / "ledger.sqlite3") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM claims").fetchone() == (1,)
    connection.close()
