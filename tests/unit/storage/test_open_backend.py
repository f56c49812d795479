"""Which back end a URL names."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from voxk8s.storage.folder_backend import FolderBackend
from voxk8s.storage.open_backend import open_backend
from voxk8s.storage.redis_backend import RedisBackend
from voxk8s.storage.store_options import StoreOptions, parse_url


def test_folders_and_redis_have_back_ends_of_their_own(tmp_path: Path) -> None:
    """Memory and S3 have obstore's."""
    for url in ("redis://host", "rediss://host"):
        assert isinstance(open_backend(parse_url(url), StoreOptions()), RedisBackend)
    folder = open_backend(parse_url(str(tmp_path)), StoreOptions())
    memory = open_backend(parse_url("memory://x"), StoreOptions())
    assert isinstance(folder, FolderBackend)
    assert not isinstance(memory, FolderBackend)
    assert (folder.url, memory.url) == (tmp_path.as_uri(), "memory://x")


def test_only_stores_in_redis_need_its_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the package, from which the command line makes advice."""
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.delitem(sys.modules, "voxk8s.storage.redis_backend")
    open_backend(parse_url("memory://x"), StoreOptions())
    with pytest.raises(ModuleNotFoundError) as caught:
        open_backend(parse_url("redis://host"), StoreOptions())
    assert caught.value.name == "redis"
