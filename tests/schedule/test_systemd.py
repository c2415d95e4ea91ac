from __future__ import annotations

import os
import stat

import pytest

from batchscan.errors import StorageError, UsageError
from batchscan.schedule import write_units

UNITS = {"a.service": "[Service]\n", "a.timer": "[Timer]\n"}


def test_units_are_written_for_everyone_to_read_whatever_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        write_units(str(tmp_path), UNITS)
    finally:
        os.umask(before)
    for name, text in UNITS.items():
        path = tmp_path / name
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        assert path.read_text().endswith(f"\n{text}")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(UNITS)


def test_what_we_wrote_ourselves_is_written_again(tmp_path):
    write_units(str(tmp_path), UNITS)
    write_units(str(tmp_path), {**UNITS, "a.timer": "[Timer]\nOnCalendar=daily\n"})

    assert "OnCalendar=daily" in (tmp_path / "a.timer").read_text()


@pytest.mark.parametrize(
    "change", [lambda text: text + "Nice=10\n", lambda _: "[Timer]\n"], ids=["changed", "other"]
)
def test_what_others_wrote_or_changed_stays_and_nothing_is_written(tmp_path, change):
    write_units(str(tmp_path), UNITS)
    timer = tmp_path / "a.timer"
    timer.write_text(others := change(timer.read_text()))
    with pytest.raises(
        UsageError, match=r"a\.timer' exists, and was not written by batchscan or was changed since"
    ):
        write_units(str(tmp_path), {"a.service": "[Service]\nType=oneshot\n", "a.timer": "x"})

    assert timer.read_text() == others
    assert "oneshot" not in (tmp_path / "a.service").read_text()


def test_a_folder_that_cannot_be_written_is_reported(tmp_path):
    with pytest.raises(StorageError, match="cannot write"):
        write_units(str(tmp_path / "nowhere"), UNITS)
    (tmp_path / "a.service").mkdir()
    with pytest.raises(StorageError, match="cannot read"):
        write_units(str(tmp_path), UNITS)
