"""Google's and Azure's stores, through gcsfs and adlfs, over what speaks like them on loopback."""

from __future__ import annotations

import json
import logging
import os

import pytest

from batchscan.errors import UsageError
from tests.stores.conftest import outcomes
from tests.support.clouds import Azure, Google, serving
from tests.support.pictures import png

KEYS = (
    "a.png",
    "line\nfeed.png",
    "b c/ü.png",
    "b c/x/1.png",
    "b c/x/2.png",
    "b c/x/3.png",
    "d//e.png",
    "f%20.png",
)
NAME, KEY = "me", "c2VjcmV0LW9mLXRoZS1zdG9yZQ=="


def account(folder, url: str):
    """The file of a service account whose tokens come from this URL."""
    rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
    serial = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serial.Encoding.PEM, serial.PrivateFormat.PKCS8, serial.NoEncryption()
    )
    file = folder / "account.json"
    told = {"type": "service_account", "client_email": "me@example.com", "project_id": "p"}
    file.write_text(json.dumps({**told, "token_uri": f"{url}/token", "private_key": key.decode()}))
    return file


@pytest.fixture(params=["gs", "az"])
def cloud(request, monkeypatch, tmp_path):
    """A root URL, and the shelf behind it."""
    module, kind = {"gs": ("gcsfs", Google), "az": ("adlfs", Azure)}[request.param]
    pytest.importorskip(module, reason=f"pip install 'batchscan[{module}]'")
    for name in list(os.environ):
        if name.startswith(("AZURE_", "GOOGLE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    with serving(kind) as (url, shelf):
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(account(tmp_path, url)))
        connection = f"AccountName={NAME};AccountKey={KEY};BlobEndpoint={url}/{NAME};"
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection)
        yield f"{request.param}://pictures", shelf


pytestmark = pytest.mark.slow


async def test_a_bucket_is_scanned_page_by_page_and_known_again(cloud, bench_of):
    url, shelf = cloud
    for number, key in enumerate(KEYS):
        shelf.write(key, png(16, 16, number))
    async with bench_of(url) as bench:
        first = await bench.scan()
        shelf.reads.clear()
        second = await bench.scan()
        reads = list(shelf.reads)
        shelf.write("b c/x/2.png", png(16, 16, 20))
        third = await bench.scan()

    assert outcomes(first) == dict.fromkeys(KEYS, "scanned")
    assert (second.report.files.unchanged, reads) == (len(KEYS), [])
    assert outcomes(third) == {"b c/x/2.png": "scanned"}


async def test_what_a_store_raises_is_not_logged_with_a_traceback_as_well(cloud, bench_of, caplog):
    url, shelf = cloud
    shelf.write("a.png", png(16, 16, 1))
    async with bench_of(url) as bench:
        await bench.scan()
    library = {"gs": "gcsfs", "az": "adlfs"}[url[:2]]
    logging.getLogger(library).error("out of retries", exc_info=OSError("no such host"))

    assert "out of retries" not in caplog.text


async def test_an_object_and_a_list_of_objects_are_looked_up(cloud, bench_of, tmp_path):
    url, shelf = cloud
    shelf.write("a.png", png(16, 16, 1))
    shelf.write("b.odd", png(16, 16, 2))
    (tmp_path / "list").write_text(f"{url}/b.odd\n{url}/gone.png\n")
    async with bench_of(f"{url}/a.png", top=url) as bench:
        ran = await bench.scan(files_from=str(tmp_path / "list"))

    assert outcomes(ran) == {"a.png": "scanned", "b.odd": "scanned", "gone.png": "vanished"}


@pytest.mark.parametrize(("status", "says"), [(403, "refused"), (404, "not there")])
async def test_a_bucket_that_refuses_or_is_not_there_is_a_mistake(cloud, bench_of, status, says):
    url, shelf = cloud
    shelf.refuse = status
    async with bench_of(url) as bench:
        with pytest.raises(UsageError, match=says):
            await bench.scan()
