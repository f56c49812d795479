"""Tests of store URLs and options."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from voxk8s.errors import InvalidUsage
from voxk8s.storage import ResultStore, StoreOptions, default_url, open_store
from voxk8s.storage.store_options import Location, parse_url, split_credentials, store_token


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/", "s3://bucket"),
        ("s3://bucket/a/b/", "s3://bucket/a/b"),
        ("file:///tmp/a%20b", "file:///tmp/a%20b"),
        ("file://localhost/tmp", "file:///tmp"),
        ("/tmp/a b", "file:///tmp/a%20b"),
        ("memory://name", "memory://name"),
        ("redis://Host", "redis://host:6379/0"),
        ("redis://host:7000/", "redis://host:7000/0"),
        ("rediss://host/3", "rediss://host:6379/3"),
        ("redis://host/0/lab/a.b/", "redis://host:6379/0/lab/a.b"),
        ("redis://[::1]:6380/1", "redis://[::1]:6380/1"),
    ],
)
def test_urls_have_a_normal_form(url: str, normal: str) -> None:
    """Different spellings of one place give one URL, which parses to itself."""
    assert parse_url(url).url == normal
    assert parse_url(normal).url == normal


@pytest.mark.parametrize(
    "url",
    ["", "  ", "http://x/y", "s3://", "s3:///x", "s3://b/../c", "s3://b/a//c", "file://host/x",
     "redis://", "redis:///0", "redis://h:x", "redis://h:99999", "redis://h/lab", "redis://h/0/../x",
     "redis://h/0/a//b", "redis://h/0/a*", "redis://h?db=1", "redis:/h", "redis://h/0#x",
     "s3://b?x=1", "s3://b/x#", "s3://b/x?", "gs://b", "s3:/b/x", "file:/x",
     "~nobody-of-this-name/x", "a\0b",
     "file:///a%00b"],
)  # fmt: skip
def test_what_is_no_store_is_refused(url: str) -> None:
    """URLs that name no store are wrong usage."""
    with pytest.raises(InvalidUsage):
        parse_url(url)


def test_file_in_the_way_of_a_folder_is_refused(tmp_path: Path) -> None:
    """A path that is, or passes through, a file is wrong usage, not a store that is down."""
    (tmp_path / "file").touch()
    for url in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InvalidUsage, match="expected a folder"):
            open_store(str(url))


def test_credentials_in_urls_are_refused_and_not_repeated() -> None:
    """A password in a URL or an endpoint is an error that does not show it."""
    for attempt in (
        lambda: parse_url("s3://AKIA:hunter2@bucket/x"),
        lambda: parse_url("redis://me:hunter2@host"),
        lambda: open_store("redis:/me:hunter2@host"),
        lambda: open_store("redis://me:hunter2@host:x"),
        lambda: open_store("redis://me:a/hunter2@host"),
        lambda: open_store("redis://me:hunter2@host/lab"),
        lambda: StoreOptions(endpoint="http://AKIA:hunter2@host"),
    ):
        with pytest.raises(InvalidUsage) as caught:
            attempt()
        assert "hunter2" not in str(caught.value)


def test_bare_paths_are_folders_from_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A relative path is below the current folder at the time of opening."""
    monkeypatch.chdir(tmp_path)
    assert open_store("a/b").url == f"file://{tmp_path}/a/b"
    assert (tmp_path / "a" / "b").is_dir()


def test_default_is_a_folder_in_the_users_cache() -> None:
    """VOXK8S_STORE comes first, then XDG_CACHE_HOME, then ~/.cache."""
    assert default_url({"VOXK8S_STORE": "s3://b/p", "XDG_CACHE_HOME": "/c"}) == "s3://b/p"
    assert default_url({"XDG_CACHE_HOME": "/c", "VOXK8S_STORE": ""}) == "/c/voxk8s/store"
    assert default_url({}) == str(Path("~/.cache/voxk8s/store").expanduser())


def test_secrets_show_nowhere_but_travel_when_given() -> None:
    """Keys given in Python are in the pickle only; those of the environment not even there."""
    options = StoreOptions(endpoint="http://127.0.0.1:1", key="AKIAKEY", secret="hunter2")
    store = open_store("s3://bucket/p", options=options)
    for text in (repr(store), str(store), repr(options), str(store.__dask_tokenize__())):
        assert "hunter2" not in text
        assert "AKIAKEY" not in text
    assert b"hunter2" in pickle.dumps(store)
    env = {"AWS_ACCESS_KEY_ID": "AKIAKEY", "AWS_SECRET_ACCESS_KEY": "hunter2"}
    assert b"hunter2" not in pickle.dumps(open_store("s3://bucket/p", env=env))


def test_options_are_filled_from_the_environment() -> None:
    """Given options win; credentials of the environment are not mixed with given ones."""
    env = {
        "AWS_ENDPOINT_URL": "http://env:1",
        "AWS_REGION": "eu-south-1",
        "AWS_ACCESS_KEY_ID": "envkey",
        "AWS_SECRET_ACCESS_KEY": "envsecret",
        "AWS_SESSION_TOKEN": "envtoken",
    }
    filled = StoreOptions().filled(env)
    assert (filled.endpoint, filled.region) == ("http://env:1", "eu-south-1")
    assert (filled.key, filled.secret, filled.token) == ("envkey", "envsecret", "envtoken")
    own = env | {"AWS_ENDPOINT_URL_S3": "http://s3:3"}
    assert StoreOptions().filled(own).endpoint == "http://s3:3", "that of S3 before that of all"
    given = StoreOptions(endpoint="http://mine:2", key="k", secret="s").filled(own)
    assert (given.endpoint, given.key, given.secret, given.token) == (
        "http://mine:2",
        "k",
        "s",
        None,
    )


def test_credentials_in_the_url_of_redis_become_options() -> None:
    """They are not part of the store's URL, and travel in its pickle; given ones win."""
    url = "rediss://me:hunt%40er@2@host:7000/1/lab"
    assert split_credentials(url, StoreOptions()) == (
        "rediss://host:7000/1/lab",
        StoreOptions(user="me", password="hunt@er@2"),
    )
    assert open_store("redis://me:hunter2#?@host").url == "redis://host:6379/0"
    plain, options = split_credentials("redis://:hunter2@host", StoreOptions(password="mine"))
    assert (plain, options.user, options.password) == ("redis://host", None, "mine")
    assert split_credentials("redis://host", StoreOptions()) == ("redis://host", StoreOptions())
    assert split_credentials("/a@b", StoreOptions()) == ("/a@b", StoreOptions())
    store = open_store("redis://me:hunter2@host/1")
    assert store.url == "redis://host:6379/1"
    for text in (repr(store), str(store), str(store.__dask_tokenize__()), repr(store._options)):
        assert "hunter2" not in text
    assert b"hunter2" in pickle.dumps(store)


def test_credentials_of_redis_come_from_the_environment() -> None:
    """User and password together, unless one is given."""
    env = {"REDIS_USERNAME": "envuser", "REDIS_PASSWORD": "hunter2"}
    filled = StoreOptions().filled(env)
    assert (filled.user, filled.password) == ("envuser", "hunter2")
    given = StoreOptions(password="mine").filled(env)
    assert (given.user, given.password) == (None, "mine")
    assert b"hunter2" not in pickle.dumps(open_store("redis://host", env=env))


def test_memory_stores_are_shared_by_name() -> None:
    """One name is one store within a process."""
    open_store("memory://shared-by-name").put("0" * 64, 1)
    again: ResultStore = open_store("memory://shared-by-name")
    assert again.get("0" * 64) == 1


def test_a_token_names_everything_that_makes_a_store() -> None:
    """URL, server and credentials each give another token; none of them can be read in it."""
    here = Location("s3", "bucket")
    options = [
        StoreOptions(),
        StoreOptions(endpoint="http://one"),
        StoreOptions(region="eu-1"),
        StoreOptions(key="AKIA", secret="hunter2"),
        StoreOptions(key="AKIA", secret="hunter3"),
        StoreOptions(key="AKIA", secret="hunter3", token="session"),
    ]
    tokens = [store_token(here, (), each) for each in options]
    tokens.append(store_token(Location("s3", "other"), (), options[0]))
    assert len(set(tokens)) == len(tokens)
    assert tokens == [store_token(here, (), each) for each in options] + tokens[-1:]
    assert not any("hunter" in token or "AKIA" in token for token in tokens)


def test_copies_of_a_pickled_store_are_one_object() -> None:
    """Each task brings a copy; a process opens the store once."""
    store = open_store("s3://bucket/x", options=StoreOptions(endpoint="http://one"))
    data = pickle.dumps(store)
    first = pickle.loads(data)
    assert pickle.loads(data) is first
    other = open_store("s3://bucket/x", options=StoreOptions(endpoint="http://two"))
    assert pickle.loads(pickle.dumps(other)) is not first


def test_a_pickled_store_keeps_its_server(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is used where the environment names none; one that names another is reported."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://here")
    data = pickle.dumps(open_store("s3://bucket/y"))
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert pickle.loads(data)._resolved.endpoint == "http://here"
    assert not caplog.records
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://there")
    assert pickle.loads(data)._resolved.endpoint == "http://there"
    [record] = caplog.records
    assert "http://here" in record.getMessage()
    assert "http://there" in record.getMessage()


@pytest.mark.parametrize("region", ["example.org/", "a.b", "a b", "a\n", "é"])
def test_a_region_is_one_label(region: str) -> None:
    """Clients make addresses of servers from the region, so it must not end a host's name."""
    with pytest.raises(InvalidUsage, match="region"):
        StoreOptions(region=region)
    with pytest.raises(InvalidUsage, match="region"):
        StoreOptions().filled({"AWS_REGION": region})


def test_a_user_without_a_home_folder_is_told_what_to_set() -> None:
    """Such as one whose number only a container knows."""
    with pytest.raises(InvalidUsage, match="set HOME, XDG_CACHE_HOME or VOXK8S_STORE"):
        default_url({"XDG_CACHE_HOME": "~no-such-user/cache"})
