"""Files of `save` goals on this machine: their paths, and writing them atomically."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from voxk8s.errors import InvalidPlan


def target_path(output: Path, name: str, confine: bool) -> Path:
    """Return the path of a saved file; with `confine` it must lie below `output`."""
    path = output / name
    if confine:
        check_confined(output, name)
    return path


def check_confined(output: Path, name: str, path: str = "$.goals") -> None:
    """Raise InvalidPlan for a name that leads out of `output`, by `..` or as an absolute path."""
    base = Path(os.path.normpath(output.absolute()))
    target = Path(os.path.normpath(base / name))
    if not target.is_relative_to(base) or target == base:
        raise InvalidPlan(f"the file name {name!r} leaves the output folder {output}", path)


def write_file(path: Path, data: bytes) -> None:
    """Write a file atomically, by renaming; creates parent folders. Raises OSError."""
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "the name has a NUL character")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, f"{error.filename} is not a folder") from error
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "a folder of this name is there", str(path))
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".voxk8s-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
