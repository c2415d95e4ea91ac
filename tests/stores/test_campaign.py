"""A bucket scanned by runs that are killed, while its objects come, go and change."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest

from tests.stores.conftest import Bucket
from tests.support.campaigns import RUNS, Campaign

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + 60 * RUNS)]


@dataclass
class Objects:
    """The pictures in a bucket."""

    bucket: Bucket

    @property
    def root(self) -> str:
        return self.bucket.url

    def names(self) -> list[str]:
        listed = self.bucket.client.list_objects_v2(Bucket=self.bucket.name)
        return sorted(each["Key"] for each in listed.get("Contents", ()))

    def read(self, name: str) -> bytes:
        data: bytes = self.bucket.client.get_object(Bucket=self.bucket.name, Key=name)[
            "Body"
        ].read()
        return data

    def write(self, name: str, data: bytes) -> None:
        self.bucket.write(name, data)

    def remove(self, name: str) -> None:
        self.bucket.remove(name)


async def test_in_a_bucket(bench, bucket):
    store = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    await Campaign(bench, Objects(bucket), environment=store).run()
