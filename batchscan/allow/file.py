"""Reading `allow.yaml` strictly, and appending rules to it without changing its other text."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from batchscan.allow.parse import PARSERS, format_rule, parse_rule
from batchscan.allow.rules import AllowRules, Rule
from batchscan.errors import UsageError
from batchscan.settings import Settings
from batchscan.settings.locations import allow_file
from batchscan.settings.strict_yaml import YamlFile, closest, is_null, line_of
from batchscan.util import system
from batchscan.util.atomic_file import make_folders, storage_errors, write_atomic

_WHAT = "allow"
_EXAMPLE = "domain: example.com"
_UNWRITABLE = "or name another file with --allow"


def load_rules(settings: Settings, config: str | None) -> AllowRules:
    """The rules of these settings.

    Args:
        settings: where they may be named.
        config: the settings file in use, beside which they else are.

    Raises:
        UsageError: they cannot be read, or a file that was named is not there.
    """
    path = allow_file(settings, config)
    return read_rules(path, named=settings.scan.allow is not None) if path else AllowRules()


def read_rules(path: Path, *, named: bool) -> AllowRules:
    """Read the rules of a file; the default file need not exist.

    Raises:
        UsageError: it cannot be read, or holds what is no rule; file and line are named.
    """
    if not named and _missing(path):
        return AllowRules()
    return AllowRules(_rules(YamlFile.read(str(path), _WHAT)))


def add_rule(path: Path, rule: Rule) -> AllowRules:
    """Append a rule to a file, which is created if it is missing; returns all its rules.

    The existing content stays the same, byte for byte.

    Raises:
        UsageError: the file cannot be read, or not added to without changing what is there.
        StorageError: it cannot be written.
    """
    real = os.path.realpath(path)  # of a link, what it leads to is replaced
    folder = os.path.dirname(real)
    with storage_errors(str(path), _UNWRITABLE):
        make_folders(folder)
        with _alone(folder):
            _add(str(path), real, rule)
    return read_rules(path, named=True)


def put_back(path: Path, content: bytes, before: bytes | None) -> bool:
    """Undo an addition by restoring the former content, unless others have changed the file.

    Args:
        path: the file of rules.
        content: its expected content.
        before: its former content; None if there was no file.

    Raises:
        StorageError: it cannot be written.
        UsageError: it cannot be read.
    """
    real = os.path.realpath(path)
    with storage_errors(str(path), _UNWRITABLE), _alone(os.path.dirname(real)):
        current = _status(str(path), real)
        if current is None or _content(str(path), real) != content:
            return False
        if before is None:
            os.unlink(real)
        else:
            write_atomic(real, [before], like=current, advice=_UNWRITABLE)
    return True


def _add(path: str, real: str, rule: Rule) -> None:
    current = _status(path, real)
    old = _content(path, real) if current else b""
    file = YamlFile(path, old, _WHAT)
    wanted = (*_rules(file), rule)

    def check(staged: str) -> None:
        if _rules_or_none(staged) != wanted:
            raise _not_added(path, rule)

    parts = [old, _addition(file, old, rule)]
    write_atomic(real, parts, like=current, check=check, advice=_UNWRITABLE)


def _rules(file: YamlFile) -> tuple[Rule, ...]:
    root = file.root
    if root is None or is_null(root):
        return ()
    if not isinstance(root, yaml.SequenceNode):
        file.refuse(root, f"a list of rules is expected, each as in `- {_EXAMPLE}`")
    file.refuse_tag("the list", root)
    return tuple(_rule(file, node) for node in root.value)


def _rule(file: YamlFile, node: yaml.Node) -> Rule:
    values: dict[str, Any] = {}
    for key, value, key_node in file.pairs(node, "a rule", _EXAMPLE):
        if key not in PARSERS:
            file.refuse_key(key_node, key, closest(key, PARSERS), PARSERS)
        values[key] = _value(file, key, value)
    try:
        return parse_rule(values, line_of(node))
    except UsageError as error:
        file.refuse(node, f"the rule: {error}", error.advice)


def _value(file: YamlFile, key: str, node: yaml.Node) -> object:
    file.refuse_tag(key, node)
    if is_null(node):
        file.refuse(node, f"{key}: the value is missing; write one, or remove the line")
    if not isinstance(node, yaml.ScalarNode):
        file.refuse(node, f"{key}: one value is expected")
    try:
        return PARSERS[key](node.value)
    except UsageError as error:
        file.refuse(node, f"{key}: {error}", error.advice)


def _addition(file: YamlFile, old: bytes, rule: Rule) -> bytes:
    """The text of the rule, to be appended to the file."""
    block = isinstance(file.root, yaml.SequenceNode) and not file.root.flow_style
    indent = " " * (file.root.start_mark.column if file.root and block else 0)
    first, *others = format_rule(rule)
    lines = [f"{indent}- {first}", *(f"{indent}  {line}" for line in others), ""]
    ending = "\r\n" if b"\r\n" in old else "\n"
    unended = old and not old.endswith((b"\n", b"\r"))
    return f"{ending if unended else ''}{ending.join(lines)}".encode()


def _not_added(path: str, rule: Rule) -> UsageError:
    return UsageError(
        f"{path}: no rule can be added at its end without changing the rest",
        advice="begin every rule on a line of its own with `- `, or add this one by hand: "
        f"{{{', '.join(format_rule(rule))}}}",
    )


def _rules_or_none(path: str) -> tuple[Rule, ...] | None:
    try:
        return _rules(YamlFile.read(path, _WHAT))
    except UsageError:
        return None


def _missing(path: Path) -> bool:
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False  # it may be there; reading it will show
    return False


def _status(path: str, real: str) -> os.stat_result | None:
    """The stat of the file, for owner and mode; None without one."""
    try:
        current = os.stat(real)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(current.st_mode):
        raise UsageError(f"{path}: not a file that rules can be added to")
    return current


def _content(path: str, real: str) -> bytes:
    try:
        with open(real, "rb") as file:
            return file.read()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error


@contextmanager
def _alone(folder: str) -> Iterator[None]:
    """Lock the folder against concurrent additions."""
    if not system.OPENS_FOLDERS:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY | system.O_DIRECTORY)
    try:
        with suppress(OSError):  # some network file systems lock no folders
            system.lock(descriptor, wait=True)
        yield
    finally:
        os.close(descriptor)
