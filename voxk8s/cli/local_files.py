"""The files of a folder on this machine that go to a store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from voxk8s.errors import InvalidUsage


def files_below(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files of a folder with their names in it, all but hidden ones.

    Raises InvalidUsage for what would be left out without a word: a folder that cannot be read, a
    link to another folder or to nothing, and what is not a file.
    """
    for place, folders, files in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            if os.path.islink(os.path.join(place, name)):
                raise InvalidUsage(
                    f"{os.path.join(place, name)}: a link to a folder is not followed: upload the"
                    " folder itself"
                )
        for name in sorted(files):
            path = Path(place, name)
            if name.startswith("."):
                continue
            if not path.is_file():
                raise InvalidUsage(f"{path}: not a file, or a link to nothing: remove it")
            yield path, path.relative_to(folder).as_posix()


def _refuse(error: OSError) -> None:
    raise InvalidUsage(f"cannot read {error.filename}: {error.strerror or error}")
