"""The kinds of stores. To add one, add a module to `stores/` and an entry here.

Modules are named by strings and imported when a URL names their store: their libraries are slow.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class StoreKind(NamedTuple):
    """A kind of store."""

    module: str  # in `batchscan.stores`
    store: str  # the class in it
    credentials: str  # where its library looks for them, for people
    other_schemes: tuple[str, ...] = ()  # other names for the same
    offered: bool = True  # whether advice names it
    environment: tuple[str, ...] = ()  # variables that its library reads
    secrets: tuple[str, ...] = ()  # the same, with secrets


# By scheme.
STORES: Final = {
    "s3": StoreKind(
        "s3",
        "S3Store",
        "AWS_PROFILE, AWS_ACCESS_KEY_ID, ~/.aws, or the machine's own role",
        other_schemes=("s3a", "s3n"),
        environment=(
            "AWS_PROFILE",
            "AWS_REGION",
            "AWS_DEFAULT_REGION",
            "AWS_ENDPOINT_URL",
            "AWS_ENDPOINT_URL_S3",
            "AWS_CONFIG_FILE",
            "AWS_SHARED_CREDENTIALS_FILE",
        ),
        # The first is no secret, but it goes with one.
        secrets=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    ),
    "gs": StoreKind(
        "gcs",
        "GcsStore",
        "GOOGLE_APPLICATION_CREDENTIALS or `gcloud auth`",
        other_schemes=("gcs",),
        environment=("GOOGLE_APPLICATION_CREDENTIALS",),
    ),
    "az": StoreKind(
        "azure",
        "AzureStore",
        "AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME and its credentials",
        other_schemes=("abfs", "abfss"),
        environment=("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ANON"),
        secrets=(
            "AZURE_STORAGE_ACCOUNT_KEY",
            "AZURE_STORAGE_CONNECTION_STRING",
            "AZURE_STORAGE_SAS_TOKEN",
        ),
    ),
    "sftp": StoreKind(
        "sftp",
        "SftpStore",
        "~/.ssh: config, keys, known_hosts, and the agent",
        other_schemes=("ssh",),
    ),
    "memory": StoreKind("memory", "MemoryStore", "nothing", offered=False),
}
# The schemes that help and advice name.
OFFERED: Final = tuple(f"{scheme}://" for scheme, kind in STORES.items() if kind.offered)
