import os
import stat

import pytest

from batchscan.errors import StorageError
from batchscan.report import encode, make_run_folder, point_latest, write_report
from batchscan.whole import write_whole
from tests.report.facts import books, report

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
        point_latest(str(tmp_path), run_id)

        assert os.readlink(tmp_path / "latest") == f"runs/{run_id}"
        assert os.path.samefile(tmp_path / "latest", folder)
    assert sorted(os.listdir(tmp_path)) == ["latest", "runs"]


def test_a_report_is_replaced_whole_and_leaves_nothing_beside_it(tmp_path):
    first, second = report(books(scanned=1)), report(books(scanned=2))
    write_report(str(tmp_path), first)
    path = write_report(str(tmp_path), second)

    with open(path, "rb") as file:
        assert file.read() == encode(second)
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_file_written_anew_holds_all_its_parts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results.jsonl").write_text("torn")
    write_whole("results.jsonl", (part for part in (b"a\n", b"b\n")))

    assert (tmp_path / "results.jsonl").read_bytes() == b"a\nb\n"
    assert mode("results.jsonl") == 0o600


def test_an_output_that_cannot_be_written_is_a_storage_error_with_advice(tmp_path):
    (tmp_path / "file").touch()
    output = str(tmp_path / "file" / "out")
    with pytest.raises(StorageError, match="Not a directory") as caught:
        make_run_folder(output, NOW)
    assert "--output" in str(caught.value.advice)
    with pytest.raises(StorageError):
        point_latest(output, "x")


def test_a_report_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path):
    (tmp_path / "report.json").mkdir()
    with pytest.raises(StorageError, match="Is a directory"):
        write_report(str(tmp_path), report(books(scanned=1)))

    assert os.listdir(tmp_path) == ["report.json"]
