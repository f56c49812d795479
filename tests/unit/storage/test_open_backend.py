"""Which back end a URL names."""

from __future__ import annotations

from pathlib import Path

from voxk8s.storage.folder_backend import FolderBackend
from voxk8s.storage.open_backend import open_backend
from voxk8s.storage.store_options import StoreOptions, parse_url


def test_folders_have_a_back_end_of_their_own(tmp_path: Path) -> None:
    """Memory and S3 have obstore's."""
    folder = open_backend(parse_url(str(tmp_path)), StoreOptions())
    memory = open_backend(parse_url("memory://x"), StoreOptions())
    assert isinstance(folder, FolderBackend)
    assert not isinstance(memory, FolderBackend)
    assert (folder.url, memory.url) == (tmp_path.as_uri(), "memory://x")
