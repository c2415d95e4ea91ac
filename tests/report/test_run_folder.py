import os
import stat

import pytest

from batchscan.enums import ExitReason
from batchscan.errors import StorageError
from batchscan.ledger import Ledger, Realm
from batchscan.report import encode, make_run_folder, point_latest, write_report
from batchscan.util.atomic_file import write_atomic
from tests.support.report_facts import books, report

NOW = 1_795_456_957.9


def mode(path) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.fixture(params=[0o000, 0o277])
def umask(request):
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_what_a_run_leaves_is_private_whatever_the_umask(tmp_path):
    output = str(tmp_path / "new" / "out")
    run_id, folder = make_run_folder(output, NOW)
    path = write_report(folder, report(books(scanned=1)))

    assert run_id == "20261123T180237Z"
    assert folder == os.path.join(output, "runs", run_id)
    assert path == os.path.join(folder, "report.json")
    assert [mode(each) for each in (tmp_path / "new", output, folder, path)] == [
        0o700,
        0o700,
        0o700,
        0o600,
    ]


def test_a_folder_that_was_there_keeps_its_mode(tmp_path):
    tmp_path.chmod(0o755)
    make_run_folder(str(tmp_path), NOW)

    assert mode(tmp_path) == 0o755


def test_runs_of_the_same_second_get_a_number(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [make_run_folder("out", NOW)[0] for _ in range(3)]

    assert names == ["20261123T180237Z", "20261123T180237Z-2", "20261123T180237Z-3"]
    assert sorted(os.listdir("out/runs")) == names


def test_latest_leads_to_the_newest_complete_run(tmp_path):
    for _ in range(2):
        run_id, folder = make_run_folder(str(tmp_path), NOW)
        point_latest(str(tmp_path), report(books(scanned=1), id=run_id))

        assert os.readlink(tmp_path / "latest") == f"runs/{run_id}"
        assert os.path.samefile(tmp_path / "latest", folder)
    assert sorted(os.listdir(tmp_path)) == ["latest", "runs"]


def test_a_dry_run_has_a_link_of_its_own(tmp_path):
    point_latest(str(tmp_path), report(books(scanned=1), id="scan"))
    planned = books(deferred={"dry_run": 3})
    point_latest(str(tmp_path), report(planned, id="plan", dry_run=True))

    assert os.readlink(tmp_path / "latest") == "runs/scan"
    assert os.readlink(tmp_path / "latest-dry-run") == "runs/plan"


@pytest.mark.parametrize(
    ("reason", "given", "said"),
    [
        ("auth", {"deferred": {"auth": 3}}, False),
        ("auth", {"unchanged": 9, "deferred": {"auth": 3}}, False),
        ("auth", {"scanned": 1, "deferred": {"auth": 3}}, True),
        ("unavailable", {"rejected": {"empty": 1}, "deferred": {"unavailable": 3}}, False),
        ("unavailable", {"reused": 1, "deferred": {"unavailable": 3}}, True),
        ("no_credits", {"unchanged": 9, "deferred": {"credits": 3}}, False),
        ("interrupted", {"deferred": {"interrupted": 3}}, False),
        ("killed", {}, False),
        ("limit", {"deferred": {"budget": 3}}, False),
        ("limit", {"unchanged": 9, "deferred": {"budget": 3}}, True),
        ("partial", {"failed": {"unreadable": 1}}, True),
        ("matches", {"unchanged": 9}, True),
        ("ok", {}, True),
    ],
)
def test_a_run_that_ended_before_any_check_does_not_become_latest(tmp_path, reason, given, said):
    made = report(books(**given), exit_reason=ExitReason(reason))
    before = report(books(scanned=1), id="before")
    ledger = Ledger.open(tmp_path, Realm("https://api.example.com", sandbox=False))
    for each in (before, made):
        point_latest(str(tmp_path), each)
        ledger.runs.begin(each.run.id, "/out/runs/x", NOW)
        ledger.runs.close(each.run.id, encode(each))
    last, of_realm = ledger.runs.last(), ledger.runs.last_of_realm()
    ledger.close()

    assert last is not None
    assert last == of_realm
    assert last.run_id == (made.run.id if said else "before")
    assert os.readlink(tmp_path / "latest") == f"runs/{last.run_id}"


def test_a_folder_that_is_called_latest_is_left_alone_with_a_warning(tmp_path, caplog):
    (tmp_path / "latest" / "mine").mkdir(parents=True)
    point_latest(str(tmp_path), report(books(scanned=1)))

    assert "latest is a folder, so it does not lead to this run" in caplog.text
    assert os.listdir(tmp_path) == ["latest"]
    assert os.listdir(tmp_path / "latest") == ["mine"]


def test_a_link_that_cannot_be_made_is_a_warning(tmp_path, caplog):
    (tmp_path / "file").touch()
    point_latest(str(tmp_path / "file" / "out"), report(books(scanned=1)))

    assert "latest does not lead to this run: Not a directory" in caplog.text


def test_a_report_is_replaced_atomically_and_leaves_no_other_file(tmp_path):
    first, second = report(books(scanned=1)), report(books(scanned=2))
    write_report(str(tmp_path), first)
    path = write_report(str(tmp_path), second)

    with open(path, "rb") as file:
        assert file.read() == encode(second)
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_file_written_anew_holds_all_its_parts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results.jsonl").write_text("torn")
    write_atomic("results.jsonl", (part for part in (b"a\n", b"b\n")))

    assert (tmp_path / "results.jsonl").read_bytes() == b"a\nb\n"
    assert mode("results.jsonl") == 0o600


def test_an_output_that_cannot_be_written_is_a_storage_error_with_advice(tmp_path):
    (tmp_path / "file").touch()
    output = str(tmp_path / "file" / "out")
    with pytest.raises(StorageError, match="Not a directory") as caught:
        make_run_folder(output, NOW)
    assert "--output" in str(caught.value.advice)


def test_a_report_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path):
    (tmp_path / "report.json").mkdir()
    with pytest.raises(StorageError, match="Is a directory"):
        write_report(str(tmp_path), report(books(scanned=1)))

    assert os.listdir(tmp_path) == ["report.json"]
