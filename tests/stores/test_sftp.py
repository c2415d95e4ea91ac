"""SFTP, over a server on loopback."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from batchscan.errors import UsageError
from tests.stores.conftest import outcomes
from tests.support.pictures import png, tree

asyncssh = pytest.importorskip("asyncssh", reason="pip install 'batchscan[sftp]'")
pytest.importorskip("sshfs", reason="pip install 'batchscan[sftp]'")


class SftpHost(threading.Thread):
    """Serves the machine's files to one key; on a thread and loop of its own, as it must block."""

    def __init__(self, host_key, client_key) -> None:
        super().__init__()
        self.host_key, self.client_key = host_key, client_key
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.port = 0

    def run(self) -> None:
        self.loop.run_until_complete(self.serve())
        self.loop.close()

    async def serve(self) -> None:
        keys = asyncssh.import_authorized_keys(self.client_key.export_public_key().decode())
        self.stopping = asyncio.Event()
        server = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[self.host_key],
            authorized_client_keys=keys,
            sftp_factory=True,
        )
        self.port = server.get_port()
        self.ready.set()
        await self.stopping.wait()
        server.close()
        await server.wait_closed()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.stopping.set)
        self.join()


@pytest.fixture
def host(tmp_path, monkeypatch):
    host_key, client_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    host = SftpHost(host_key, client_key)
    host.start()
    host.ready.wait()
    ssh = tmp_path / "home" / ".ssh"
    ssh.mkdir(parents=True, mode=0o700)
    client_key.write_private_key(ssh / "id_ed25519")
    known = host_key.export_public_key().decode()
    (ssh / "known_hosts").write_text(f"[127.0.0.1]:{host.port} {known}")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    yield host
    host.stop()


async def test_a_host_is_scanned_as_a_folder_is(host, tmp_path, bench_of):
    odd = os.fsdecode(b"x/\xff b.png")
    tree(tmp_path / "far", {"a.png": png(16, 16, 1), odd: png(16, 16, 2), "n.txt": b"n"})
    (tmp_path / "far" / "link.png").symlink_to("a.png")
    top = f"sftp://me@127.0.0.1:{host.port}{tmp_path}/far"
    async with bench_of(top) as bench:
        first = await bench.scan()
        tree(tmp_path / "far", {"a.png": png(20, 20, 3)})
        second = await bench.scan()

    assert outcomes(first) == {"a.png": "scanned", "x/\ufffd b.png": "scanned"}
    assert outcomes(second) == {"a.png": "scanned"}
    assert second.report.files.unchanged == 1


async def test_a_host_that_is_not_known_is_refused(host, tmp_path, bench_of):
    (tmp_path / "home" / ".ssh" / "known_hosts").write_text("")
    async with bench_of(f"sftp://me@127.0.0.1:{host.port}{tmp_path}") as bench:
        with pytest.raises(UsageError, match="refused") as caught:
            await bench.scan()

    assert "known_hosts" in str(caught.value.advice)


async def test_a_folder_that_is_not_there_is_a_mistake(host, tmp_path, bench_of):
    async with bench_of(f"sftp://me@127.0.0.1:{host.port}{tmp_path}/none") as bench:
        with pytest.raises(UsageError, match="not there"):
            await bench.scan()
