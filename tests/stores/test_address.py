import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.errors import UsageError
from batchscan.path_patterns import PathPattern
from batchscan.stores import Address, shown
from batchscan.stores.fsspec_support import as_os_errors
from batchscan.util.paths import is_url, join_path, split_path

KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)


@given(KEYS)
def test_every_key_has_a_path_of_its_own_that_comes_apart_as_it_was_put_together(key):
    path = f"s3://bucket/{key}"
    folder, name = split_path(path)

    assert join_path(folder, name) == path
    assert Address.of(f"s3://bucket/{key}").key == key
    assert split_path(path.encode()) == (folder.encode(), name.encode())


@given(KEYS.map("{}/".format))
def test_what_is_in_a_folder_has_its_path_and_a_name(folder):
    address = Address.of(f"s3://bucket/{folder}")

    assert join_path(address.folder_path, "a.png") == f"s3://bucket/{folder}a.png"


@pytest.mark.parametrize(
    "path", ["/s3://x/a", "./s3://x", "s3:/x/a", "a/s3://x", "", "://x", "1a://"]
)
def test_paths_of_this_machine_are_no_urls(path):
    assert not is_url(path)
    assert not is_url(path.encode())


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("S3://Bucket/Key", "s3://Bucket/Key"),
        ("s3a://bucket", "s3://bucket"),
        ("s3://bucket/", "s3://bucket"),
        ("gcs://bucket/a", "gs://bucket/a"),
        ("abfss://box@me.dfs.core.windows.net/a", "az://box@me.dfs.core.windows.net/a"),
        ("ssh://me@host:2222/srv/a", "sftp://me@host:2222/srv/a"),
    ],
)
def test_each_store_is_spelled_in_one_way(written, known):
    assert str(Address.of(written)) == known


@pytest.mark.parametrize(
    "url",
    [
        "s3://s3cret@bucket/a",
        "s3://id:s3cret@bucket/a",
        "gs://s3cret@bucket/a",
        "sftp://me:s3cret@host/a",
        "az://box/a.png?sv=1&sig=s3cret",
        "https://user:s3cret@example.com/a",
        "s3://bucket/a?X-Amz-Credential=x&X-Amz-Signature=s3cret",
    ],
)
def test_a_secret_in_an_address_is_refused_and_not_shown(url):
    with pytest.raises(UsageError) as caught:
        Address.of(url)

    assert "s3cret" not in f"{caught.value} {caught.value.advice} {shown(url)}"


def test_what_an_address_holds_is_shown_on_one_line():
    assert shown("gopher://x/\x1b[31m\n").isprintable()


@pytest.mark.parametrize(
    ("pattern", "covered"),
    [
        ("*.jpg", True),
        ("b.jpg", True),
        ("a/b.jpg", True),
        ("bucket/a/", True),
        ("s3://bucket/a/b.jpg", True),
        ("s3://bucket/", True),
        ("s3://bucket/**", True),
        ("s3://*/a/*.jpg", True),
        ("s3://bucket/b.jpg", False),
        ("gs://bucket/a/b.jpg", False),
        ("/bucket/a/b.jpg", False),
        ("/a/b.jpg", False),
    ],
)
def test_patterns_match_object_urls_like_paths(pattern, covered):
    assert PathPattern.of(pattern).covers("s3://bucket/a/b.jpg") is covered


class Refused(Exception):
    code = 403


class NoCredentialsError(Exception):
    pass


@pytest.mark.parametrize(
    ("raised", "becomes"),
    [
        (Refused("no"), PermissionError),
        (NoCredentialsError("none"), PermissionError),
        (FileNotFoundError("The bucket is not there"), FileNotFoundError),
        (TimeoutError("late"), TimeoutError),
        (ValueError("odd\x1b[31m\nand more"), OSError),
    ],
)
def test_trouble_of_every_library_is_the_systems_and_on_one_line(raised, becomes):
    with pytest.raises(becomes) as caught, as_os_errors():
        raise raised

    assert str(caught.value).isprintable()
