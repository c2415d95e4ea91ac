"""Files of settings and of faults are data: no tag in them makes an object or runs anything."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import batchscan
from batchscan.emulator.faults import read_faults
from batchscan.errors import UsageError
from batchscan.settings.load import load

CODE = "!!python/object/apply:os.mkdir"
TAGS = (
    "!!python/object:x.Y",
    "!!python/name:os.mkdir",
    "!!python/module:os",
    "!!binary",
    "!!set",
    "!x",
)


@pytest.mark.parametrize(
    "text",
    [
        "{code} ['{place}']\n",
        "pace: {code} ['{place}']\n",
        "pace:\n  rate: {code} ['{place}']\n",
        "scan:\n  exclude: {code} ['{place}']\n",
        "scan:\n  exclude:\n  - {code} ['{place}']\n",
        "pace: {code}\n  args: ['{place}']\n",
        "{code} ['{place}']: 1\n",
        "? {code} ['{place}']\n: 1\n",
    ],
)
def test_settings_that_would_run_code_are_refused_and_it_is_not_run(tmp_path, text):
    place = tmp_path / "made"
    config = tmp_path / "config.yaml"
    config.write_text(text.replace("{code}", CODE).replace("{place}", str(place)))
    with pytest.raises(UsageError, match=r"config\.yaml line \d: "):
        load({"config": str(config)}, {})
    with pytest.raises(UsageError, match=r"config\.yaml: "):
        read_faults(config)

    assert not place.exists()


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize(
    "text",
    ["{tag} {pace: {rate: 1/s}}", "pace: {tag} {rate: 1/s}", "pace: {{tag} rate: 1/s}",
     "pace: {rate: {tag} 1/s}", "scan: {exclude: {tag} [a]}", "scan: {exclude: [{tag} a]}"],
)  # fmt: skip
def test_every_tag_is_refused_by_its_name_wherever_it_is(tmp_path, text, tag):
    config = tmp_path / "config.yaml"
    config.write_text(text.replace("{tag}", tag))
    with pytest.raises(UsageError, match=r"line 1: .*: tags are not supported, and .* is one"):
        load({"config": str(config)}, {})


@pytest.mark.parametrize("escape", [r"\Uffffffff", r"\U00110000"])
def test_a_character_that_does_not_exist_is_a_mistake_and_no_crash(tmp_path, escape):
    config = tmp_path / "config.yaml"
    config.write_text(f'account: {{email: "{escape}"}}')
    with pytest.raises(UsageError, match="not YAML: it names a character that does not exist"):
        load({"config": str(config)}, {})


def test_a_path_that_no_file_system_can_hold_is_refused(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(r'output: {directory: "\ud800"}')
    with pytest.raises(UsageError, match="allowed: "):
        load({"config": str(config)}, {})


@pytest.mark.parametrize("password", ["s3cr3t", "s3c/r3t", "s3c@r3t", "s3c r3t"])
def test_a_password_in_an_address_is_never_repeated(password):
    with pytest.raises(UsageError) as caught:
        load({}, {"COPYLEAKS_API_URL": f"https://me:{password}@x.test/"})
    said = f"{caught.value} {caught.value.advice}"
    assert "x.test" in said
    assert "s3c" not in said
    assert "r3t" not in said


BANNED_MODULES = {"pickle", "marshal", "shelve", "xml"}
# Writes only; and the parser by which every declaration of an entity is refused (test_provenance).
HARMLESS_MODULES = {"xml.sax.saxutils", "xml.parsers"}
BANNED_CALLS = {"eval", "exec", "compile", "__import__"}
BANNED_ATTRIBUTES = {
    "yaml": {
        "load",
        "load_all",
        "full_load",
        "unsafe_load",
        "UnsafeLoader",
        "FullLoader",
        "Loader",
    },
    "os": {"system", "popen"},
}


def that_can_run_code(node: ast.AST) -> set[str]:
    match node:
        case ast.Import(names=names):
            return {name.name.partition(".")[0] for name in names} & BANNED_MODULES
        case ast.ImportFrom(module=str(module)) if module not in HARMLESS_MODULES:
            return {module.partition(".")[0]} & BANNED_MODULES
        case ast.Call(func=ast.Name(id=name)):
            return {name} & BANNED_CALLS
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return {name} & BANNED_ATTRIBUTES.get(owner, set())
        case ast.keyword(arg="shell"):
            return {"shell"}
        case _:
            return set()


@pytest.mark.parametrize(
    "line",
    ["import pickle", "from xml.etree import ElementTree", "eval(x)", "yaml.load(x)",
     "os.system(x)", "run(x, shell=True)"],
)  # fmt: skip
def test_reading_data_in_a_way_that_can_run_code_would_be_found(line):
    assert any(map(that_can_run_code, ast.walk(ast.parse(line))))


def test_nothing_in_the_package_reads_data_in_a_way_that_can_run_code():
    found = [
        f"{path.name}: {word}"
        for path in Path(batchscan.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for word in that_can_run_code(node)
    ]
    assert found == []
