from __future__ import annotations

import json

import pytest
from filelock import FileLock
from PIL import Image


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.linear_gradient("L").save(folder / "a.png")
    return folder


def test_a_dry_run_sums_up_on_stdout_and_touches_no_state(run, pictures, tmp_path):
    done = run("-n", str(pictures))
    assert (done.returncode, done.stderr) == (0, "")
    assert "Would send 1 picture (" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"pictures", "batchscan-output"}


def test_json_is_the_report_and_nothing_else(run, pictures):
    done = run("scan", "-n", "--json", str(pictures))
    report = json.loads(done.stdout)
    assert report["run"]["dry_run"] is True
    assert report["reasons"] == {"dry_run": 1}
    assert done.stderr == ""


def test_a_quiet_run_that_goes_well_prints_nothing(run, pictures):
    done = run("-q", "-n", str(pictures))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_dry_run_says_where_a_scan_would_stop_and_calls_nothing_reached(run, pictures):
    Image.radial_gradient("L").save(pictures / "b.png")
    done = run("-n", "--limit", "1", str(pictures))
    assert (done.returncode, done.stderr) == (0, "")
    assert "A scan would stop there: --limit 1 is reached" in done.stdout
    assert "run the same command again" not in done.stdout
    quiet = run("-n", "-q", "--limit", "1", str(pictures))
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


def test_a_dry_run_of_the_sandbox_costs_nothing(run, pictures):
    said = run("-n", "--sandbox", str(pictures)).stdout
    assert "Would send 1 picture (" in said
    assert ": 0 credits. " in said


def test_one_picture_to_send_shares_its_answer_with_its_copies(run, pictures):
    (pictures / "copy.png").write_bytes((pictures / "a.png").read_bytes())
    said = run("-n", "--max-credits", "1", str(pictures)).stdout
    assert "1 more file would share its answer. Nothing was sent." in said
    assert "asking about the whole library takes 1 day," in said


def test_a_quiet_run_shows_what_is_newly_rejected(run, pictures):
    (pictures / "b.jpg").touch()
    done = run("-q", "-n", str(pictures))
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("batchscan: newly rejected: 1 empty; see ")
    assert done.stderr.count("\n") == 1


def test_settings_of_the_users_own_file_hold(run, pictures, tmp_path, environ):
    environ["XDG_CONFIG_HOME"] = str(tmp_path / "config")
    folder = tmp_path / "config" / "batchscan"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("output: {directory: elsewhere}\n")
    assert run("-n", str(pictures), env={"BATCHSCAN_CONFIG": str(folder / "config.yaml")})
    assert (tmp_path / "elsewhere" / "runs").is_dir()


@pytest.mark.parametrize("flag", ["--output", "--state"])
def test_a_folder_of_batchscans_own_is_not_scanned(run, pictures, flag):
    done = run("-n", str(pictures), flag, str(pictures))
    assert done.returncode == 2
    assert "where this program keeps its own files" in done.stderr


def test_a_path_that_is_not_there_exits_2(run):
    done = run("-n", "./no\x1bwhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no\\x1bwhere" in done.stderr


@pytest.mark.parametrize(("if_locked", "said"), [("fail", True), ("skip", False)])
def test_a_run_beside_another_one_exits_7(run, pictures, tmp_path, if_locked, said):
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    account = {"COPYLEAKS_EMAIL": "a@b.test", "COPYLEAKS_API_KEY": "k"}
    with FileLock(state / "lock"):
        done = run(
            str(pictures), "--state", str(state), "--if-locked", if_locked, "-q", env=account
        )
    assert done.returncode == 7
    assert done.stdout == ""
    assert bool(done.stderr) is said
