import json

import msgspec

from batchscan.enums import ExitReason
from batchscan.report import Report, encode, json_schema
from tests.support.report_facts import DIGEST, allow_rule, books, report

LATER = {
    "unchecked_files",
    "unchecked_table",
    "unreadable_folder_names",
    "converted",
    "converted_formats",
    "allow_rules",
    "rechecks",
    "alerts",
    "cluster",
    "round_days",
    "plan",
    "same_as",
    "force",
    "checked",
    "unchecked",
    "unchanged_rejected",
    "covered",
    "renditions",
    "renditions_credits",
    "money",
}  # what reports of older versions do not have


def test_the_schema_names_every_field_of_the_report_as_required():
    schema = json_schema()
    written = json.loads(encode(report(books(scanned=1), DIGEST)))
    top = schema["$defs"]["Report"]

    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["$ref"] == "#/$defs/Report"
    assert sorted(written) == sorted(top["properties"])
    assert set(top["required"]) == set(written) - LATER
    for name, part in (("Run", "run"), ("Files", "files"), ("Credits", "credits"), ("Api", "api")):
        assert set(schema["$defs"][name]["required"]) == set(written[part]) - LATER
    assert schema["$defs"]["ExitReason"]["enum"] == sorted(ExitReason)


def test_the_schema_is_json():
    assert json.loads(json.dumps(json_schema())) == json_schema()


def test_a_written_report_reads_back():
    made = report(books(scanned=1), DIGEST, exit_code=None, exit_reason=ExitReason.KILLED)

    assert msgspec.json.decode(encode(made), type=Report) == made


def test_an_entry_of_a_long_list_is_one_line():
    rules = [allow_rule("*.example", "ours"), allow_rule("*.test", "ours")]
    made = msgspec.structs.replace(report(books(scanned=1), DIGEST), allow_rules=rules)
    lines = encode(made).decode().splitlines()

    for name in ("domains", "images", "allow_rules"):
        start = lines.index(f'  "{name}": [') + 1
        entries = [
            json.loads(line.rstrip(",")) for line in lines[start : lines.index("  ],", start)]
        ]
        assert entries == msgspec.to_builtins(getattr(made, name))
    assert '  "unchecked_files": [],' in lines
    assert '    "images_with_matches": 34,' in lines


def test_a_picture_may_be_called_like_a_list():
    name = '\n  "images": []\n  "allow_rules": []'
    named = [msgspec.structs.replace(picture, path=name) for picture in DIGEST.images]
    made = msgspec.structs.replace(report(books(scanned=1), DIGEST), images=named, domains=[])

    assert msgspec.json.decode(encode(made), type=Report) == made
