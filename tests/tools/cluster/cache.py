"""The user's cache: slow things are made once, under a hash of what they are made from."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.tools.cluster.paths import cache_root


def digest_of(*parts: str | bytes) -> str:
    """Return a short name for inputs: equal exactly when all parts are equal in order."""
    hasher = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        hasher.update(len(data).to_bytes(8, "big") + data)
    return hasher.hexdigest()[:16]


def digest_of_files(root: Path, paths: Iterable[Path]) -> str:
    """Return a short name for files: their paths below `root`, modes and contents."""
    parts: list[str | bytes] = []
    for path in sorted(paths):
        executable = "x" if path.stat().st_mode & 0o100 else "-"
        parts += [path.relative_to(root).as_posix(), executable, path.read_bytes()]
    return digest_of(*parts)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file, so that two clones do not do the same thing at once.

    Whoever holds it may delete it: one who waited for the deleted file takes the new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno())):
                yield
                return


def entry(kind: str, digest: str, build: Callable[[Path], None]) -> Path:
    """Return the folder `kind/digest` of the cache; where it is missing, `build` fills it.

    The folder appears whole or not at all: it is built under another name and renamed.
    """
    folder = cache_root() / kind
    final = folder / digest
    if final.is_dir():
        return final
    with locked(folder / ".lock"):
        if final.is_dir():
            return final
        for leftover in folder.glob(".new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
        fresh.chmod(0o755)
        try:
            build(fresh)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        fresh.rename(final)
    return final
