"""A scheduled scan of a bucket: what goes along of the environment, and what does not."""

from __future__ import annotations

from batchscan.cli.scheduled_scan import ScheduleRequest, schedule
from batchscan.schedule import Timing, crontab_line, service_unit


def test_a_bucket_is_scheduled_with_its_settings_and_without_its_secrets(bucket, tmp_path):
    words = [bucket.url, str(tmp_path), "-o", str(tmp_path / "output")]
    job = schedule(ScheduleRequest("batchscan", Timing.at(), systemd=True), words, {}).job()
    texts = service_unit(job) + crontab_line(job)

    assert job.words[-2:] == (bucket.url, str(tmp_path))
    assert job.pictures == (str(tmp_path),)
    assert job.environment["AWS_DEFAULT_REGION"] == "us-east-1"
    assert "AWS_ENDPOINT_URL" in job.environment
    assert "AWS_SECRET_ACCESS_KEY" in job.secrets
    assert "secret-of-the-store" not in texts
