"""What `batchscan report --schema` prints, held against reports."""

from __future__ import annotations

import functools
from typing import Any

from jsonschema import Draft202012Validator

from batchscan.report import json_schema


@functools.cache
def _validator() -> Draft202012Validator:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def assert_valid(report: dict[str, Any]) -> None:
    """Hold a report.json to its schema."""
    problems = [f"{each.json_path}: {each.message}" for each in _validator().iter_errors(report)]
    assert problems == []
