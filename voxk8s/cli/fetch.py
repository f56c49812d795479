"""Fetches saved files of runs: only what is not there, on from where it stopped, verified."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from voxk8s.errors import InvalidUsage, StoreError
from voxk8s.storage import ResultStore
from voxk8s.storage.uploads import file_digest

_PIECE: Final = 8 * 1024 * 1024
_LONGEST: Final = 180
"""Bytes of a name that leave room for more: file systems take 255."""

Tell = Callable[[int], None]


def fetch_blob(store: ResultStore, digest: str, target: Path, tell: Tell = lambda _: None) -> bool:
    """Write a blob to a file; return False if the file has these bytes already.

    An interrupted fetch leaves a hidden file beside the target and goes on with it. `tell` is
    called with numbers of bytes. Raises StoreError for bytes that do not have the digest: the
    target is then as it was. Raises InvalidUsage for a target that cannot be written.
    """
    try:
        return _fetch(store, digest, target, tell)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvalidUsage(f"cannot write {error.filename or target}: {reason}") from error


def _fetch(store: ResultStore, digest: str, target: Path, tell: Tell) -> bool:
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "a folder of this name is there", str(target))
    size = store.blob_size(digest)
    if size is None:
        raise StoreError(f"the blob {digest} is missing in the store {store.url}")
    if target.is_file() and target.stat().st_size == size and file_digest(target) == digest:
        tell(size)
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    start = target.name.encode()[:_LONGEST].decode(errors="ignore")
    part = target.with_name(f".{start}.{digest[:16]}.part")
    seen = hashlib.sha256()
    with part.open("a+b") as file:
        file.seek(0)
        while old := file.read(_PIECE):
            seen.update(old)
            tell(len(old))
        while file.tell() < size:
            data = store.read_blob_piece(digest, file.tell(), min(_PIECE, size - file.tell()))
            if not data:
                break
            file.write(data)
            seen.update(data)
            tell(len(data))
    if seen.hexdigest() != digest:
        part.unlink()
        raise StoreError(
            f"the blob {digest} is missing or corrupt in the store {store.url}; {target} is not"
            " written: try again, and `voxk8s retry` the WorkPlan if that does not help"
        )
    os.replace(part, target)
    return True
