"""Lists of the files in a folder, as pins."""

from __future__ import annotations

import json
import posixpath
from fnmatch import fnmatchcase

from voxk8s.errors import InputUnavailable, InvalidUsage
from voxk8s.inputs.contents import hash_json, is_folder, names_below
from voxk8s.inputs.filesystems import convert_errors
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.locations import locate
from voxk8s.plan.keys.pins import Pin
from voxk8s.plan.model import Scalar
from voxk8s.settings import read_flag


def list_folder(
    root: str,
    pattern: str = "*",
    recursive: Scalar = False,
    full_path: Scalar = False,
    *,
    options: InputOptions,
) -> Pin:
    """List the files of a folder: the pin's `entries` are their sorted names.

    `pattern` is a shell pattern for names (`*.nii.gz`), or for paths relative to the root if it
    contains a slash. Folders are left out, and so are hidden files unless the pattern begins with
    a dot. With `full_path` the entries are URLs that `load` accepts, else paths relative to the
    root. The digest is that of the entries. Flags are truth values, numbers, or `"true"` and
    `"false"`.
    """
    location = locate(root, options)
    deep, full = _flag(root, "recursive", recursive), _flag(root, "full_path", full_path)
    if not isinstance(pattern, str):
        raise InputUnavailable(
            f"input {root}: expected a string as the pattern of a listing, got {pattern!r}"
        )
    if location.scheme in ("http", "https"):
        raise InputUnavailable(f"input {root}: folders cannot be listed over HTTP")
    with convert_errors(location):
        if not is_folder(location, options):
            raise NotADirectoryError
        found = sorted(
            name for name in names_below(location, options, deep) if _matches(name, pattern)
        )
    base = root.rstrip("/") or "/"
    entries = tuple(posixpath.join(base, name) if full else name for name in found)
    content = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    return Pin(root, hash_json(list(entries)), len(content), entries)


def _flag(root: str, name: str, value: Scalar) -> bool:
    if isinstance(value, bool | int | float):
        return bool(value)
    try:
        return read_flag({name: value}, name, False)
    except InvalidUsage as error:
        raise InputUnavailable(f"input {root}: {error}") from error


def _matches(name: str, pattern: str) -> bool:
    last = name.rpartition("/")[2]
    wanted = pattern.rpartition("/")[2]
    if last.startswith(".") and not wanted.startswith("."):
        return False
    return fnmatchcase(name if "/" in pattern else last, pattern)
