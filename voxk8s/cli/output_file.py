"""Where a file can be written."""

from __future__ import annotations

import os
from pathlib import Path


def obstacle(path: Path) -> str | None:
    """Return why no file can be written here, as far as that is known in advance."""
    if "\0" in str(path):
        return "the name has a NUL character"
    if path.is_dir():
        return "expected a file name, found a folder"
    parent = next((each for each in path.absolute().parents if each.exists()), path)
    if not parent.is_dir():
        return f"expected a folder at {parent}, found a file"
    return None if os.access(parent, os.W_OK) else f"no permission to write in {parent}"
