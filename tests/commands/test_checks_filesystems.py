from __future__ import annotations

import pytest

from batchscan.commands.checks import file_system, is_network

MOUNTS = r"""/dev/sda1 / ext4 rw 0 0
nas:/pictures /mnt/nas nfs4 rw 0 0
//nas/my /mnt/my\040share cifs rw 0 0
me@host: /mnt/nas/deep fuse.sshfs rw 0 0
tmpfs /mnt/twice tmpfs rw 0 0
nas:/x /mnt/twice nfs rw 0 0
torn
"""


@pytest.mark.parametrize(
    ("path", "kind", "network"),
    [
        ("/home/ada", "ext4", False),
        ("/", "ext4", False),
        ("/mnt/nas", "nfs4", True),
        ("/mnt/nas/a/b", "nfs4", True),
        ("/mnt/nassau", "ext4", False),
        ("/mnt/my share/x", "cifs", True),
        ("/mnt/nas/deep/er", "fuse.sshfs", True),
        ("/mnt/twice/x", "nfs", True),
    ],
)
def test_the_innermost_mount_shows_the_file_system(tmp_path, path, kind, network):
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    assert file_system(path, str(mounts)) == kind
    assert is_network(kind) == network


def test_without_the_mount_table_the_file_system_is_unknown(tmp_path):
    assert file_system("/", str(tmp_path / "missing")) is None
    assert not is_network(None)
