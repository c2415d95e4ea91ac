import json

import msgspec

from batchscan.enums import ExitReason
from batchscan.report import Report, encode, json_schema
from tests.support.report_facts import DIGEST, books, report

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
