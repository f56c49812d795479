"""External inputs: what they are (stat), what their content is (digest, list), and their values.

An input is pinned before anything is scheduled: the digest of its content goes into result keys.
Loading verifies the pin: content that is no longer what was pinned is never used.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import IO, TYPE_CHECKING, Final, Literal

from voxk8s.errors import InputUnavailable, InvalidUsage
from voxk8s.formats.detached import HEADER_BYTES, HEADER_SUFFIXES, companion
from voxk8s.inputs.locations import (
    InputOptions,
    Location,
    file_system,
    locate,
    preload,
    reading,
)
from voxk8s.plan.keys.pins import Pin
from voxk8s.plan.model import Digest, Scalar
from voxk8s.settings import read_flag

if TYPE_CHECKING:
    from voxk8s.values import Value

__all__ = ["InputOptions", "InputStat", "digest", "list_folder", "load", "preload", "stat"]

_CHUNK: Final = 8 * 1024 * 1024
_SHOWN: Final = 100  # characters of a name that messages show


@dataclass(frozen=True, slots=True)
class InputStat:
    """What a place says of an input without its content being read.

    `version` is the ETag or the time of the last change: an input whose URL, size and version are
    the same has the same content. It is empty where the place tells neither; then nothing about
    the input may be remembered.
    """

    url: str
    size: int
    version: str
    kind: Literal["file", "folder"]


def stat(url: str, options: InputOptions) -> InputStat:
    """Ask for size and version; raises InputUnavailable, InputUnreachable or InputNotAllowed."""
    location = locate(url, options)
    with reading(location):
        if location.is_local:
            found = os.stat(location.path)
            version = f"{found.st_mtime_ns}:{found.st_ctime_ns}:{found.st_ino}"
            kind: Literal["file", "folder"] = "folder" if _is_folder(location) else "file"
            return InputStat(url, found.st_size, "" if _is_header(location) else version, kind)
        info = file_system(location, options).info(location.path)
    if info.get("type") == "directory":
        return InputStat(url, 0, "", "folder")
    changed = info.get("ETag") or info.get("LastModified") or info.get("Last-Modified") or ""
    size = info.get("size")
    # Without a size the version alone would have to tell two contents apart: not trusted. Nor does
    # a header's version tell of the file beside it.
    unknown = size is None or _is_header(location)
    return InputStat(url, size or 0, "" if unknown else str(changed).strip('"'), "file")


def digest(url: str, options: InputOptions) -> Pin:
    """Read an input and give its pin: SHA-256 and size of its content.

    For a folder (a DICOM series) the digest is that of the sorted digests of its files, so neither
    names nor places count; for a header with its voxels in a file beside it, of both. Raises
    InputUnavailable, InputUnreachable or InputNotAllowed.
    """
    location = locate(url, options)
    with reading(location):
        if not _is_folder(location, options):
            hashed = [_hash(member, options) for member in _header_and_data(location, options)]
            return Pin(url, _digest_of_parts(hashed), sum(size for _, size in hashed))
        members = _members(location, options)
        pins = sorted(_hash(member, options) for member in members)
    if not pins:
        raise InputUnavailable(f"input {url}: the folder has no files")
    return Pin(url, _digest_of_parts(pins, always=True), sum(size for _, size in pins))


def list_folder(
    root: str,
    pattern: str = "*",
    recursive: Scalar = False,
    full_path: Scalar = False,
    *,
    options: InputOptions,
) -> Pin:
    """List the files of a folder: the pin's `entries` are their sorted names.

    `pattern` is a shell pattern for names (`*.nii.gz`), or for paths below the root if it has a
    slash. Folders themselves are left out, and hidden files unless the pattern asks for them. With
    `full_path` entries are URLs that `load` takes, else paths below the root. The digest is that
    of the entries. Flags are truth values, numbers, or `"true"` and `"false"`.
    """
    location = locate(root, options)
    deep, full = _flag(root, "recursive", recursive), _flag(root, "full_path", full_path)
    if not isinstance(pattern, str):
        raise InputUnavailable(f"input {root}: the pattern of a listing must be a string")
    if location.scheme in ("http", "https"):
        raise InputUnavailable(f"input {root}: folders cannot be listed by HTTP")
    with reading(location):
        if not _is_folder(location, options):
            raise NotADirectoryError
        found = sorted(
            name for name in _names_below(location, options, deep) if _matches(name, pattern)
        )
    base = root.rstrip("/") or "/"
    entries = tuple(posixpath.join(base, name) if full else name for name in found)
    content = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    return Pin(root, _digest_of(list(entries)), len(content), entries)


def load(pin: Pin, options: InputOptions) -> Value:
    """Read a pinned input: an Image, or the value of a JSON document.

    The format is found from the content, never from the name. Raises InputUnavailable if the
    content is not what was pinned (a later run pins it anew), or cannot be decoded.
    """
    from voxk8s.formats.decode import decode_file, decode_series

    location = locate(pin.url, options)
    with reading(location):
        folder = _is_folder(location, options)
        members = (_members if folder else _header_and_data)(location, options)
    with tempfile.TemporaryDirectory(prefix="voxk8s-input-") as scratch:
        paths: list[str] = []
        pins: list[tuple[Digest, int]] = []
        with reading(location):
            before = [_local_version(member) for member in members]
            for number, member in enumerate(members):
                path = _local_path(member, scratch, number)
                pins.append(_hash(member, options, None if member.is_local else path))
                paths.append(path)
        whole = _digest_of_parts(sorted(pins) if folder else pins, always=folder)
        if whole != pin.digest:
            raise _changed(pin, whole)
        value = (
            decode_series(pin.url, [path for _, path in sorted(zip(pins, paths, strict=True))])
            if folder
            else decode_file(pin.url, paths[0], scratch, _beside(members, paths))
        )
        with reading(location):
            # Between digest and decoding a local file may have been written to.
            if before != [_local_version(member) for member in members]:
                raise _changed(pin, None)
        return value


def _local_path(member: Location, scratch: str, number: int) -> str:
    """Give the path under which a file is read: of its own, or in `scratch` with much of its name.

    A name that is not in UTF-8 ends the process in ITK; such a file is read through a link.
    """
    shown = posixpath.basename(member.path)[-_SHOWN:].encode("ascii", "replace").decode()
    path = os.path.join(scratch, f"{number:06d}-{shown}")
    if not member.is_local:
        return path
    try:
        member.path.encode()
    except UnicodeEncodeError:
        os.symlink(member.path, path)
        return path
    return member.path


def _changed(pin: Pin, now: Digest | None) -> InputUnavailable:
    detail = f" (it was sha256:{pin.digest}, it is sha256:{now})" if now else ""
    return InputUnavailable(
        f"input {pin.url}: its content has changed since the run began{detail}; run again"
    )


def _hash(
    location: Location, options: InputOptions, copy_to: str | None = None
) -> tuple[Digest, int]:
    hasher = hashlib.sha256()
    size = 0
    with reading(location), _opened(location, options) as source, _sink(copy_to) as write:
        while chunk := source.read(_CHUNK):
            hasher.update(chunk)
            write(chunk)
            size += len(chunk)
    return Digest(hasher.hexdigest()), size


@contextmanager
def _opened(location: Location, options: InputOptions) -> Iterator[IO[bytes]]:
    if location.is_local:
        path = location.path
        if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
            # A pipe or a device may give nothing for ever, or without end.
            raise InputUnavailable(f"input {location.url}: it is no ordinary file")
        with open(path, "rb") as file:
            yield file
    else:
        with file_system(location, options).open(
            location.path, "rb", block_size=_CHUNK, cache_type="readahead"
        ) as file:
            yield file


@contextmanager
def _sink(path: str | None) -> Iterator[Callable[[bytes], object]]:
    if path is None:
        yield lambda _: None
        return
    with open(path, "wb") as file:
        yield file.write


def _digest_of_parts(parts: list[tuple[Digest, int]], *, always: bool = False) -> Digest:
    """Give the digest of an input of several files; of a single file that file's own."""
    if len(parts) == 1 and not always:
        return parts[0][0]
    return _digest_of([hashed for hashed, _ in parts])


def _digest_of(parts: list[str] | list[Digest]) -> Digest:
    content = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return Digest(hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest())


def _local_version(location: Location) -> tuple[int, int] | None:
    if not location.is_local:
        return None
    found = os.stat(location.path)
    return found.st_size, found.st_mtime_ns


def _is_folder(location: Location, options: InputOptions | None = None) -> bool:
    if location.is_local:
        os.stat(location.path)
        return os.path.isdir(location.path)
    if options is None or location.scheme != "s3":
        return False
    system = file_system(location, options)
    return bool(system.info(location.path.rstrip("/"))["type"] == "directory")


def _is_header(location: Location) -> bool:
    return location.path.lower().endswith(HEADER_SUFFIXES)


def _header_and_data(location: Location, options: InputOptions) -> list[Location]:
    if not _is_header(location):
        return [location]
    with _opened(location, options) as file:
        other = companion(location.url, file.read(HEADER_BYTES))
    return [location] if other is None else [location, locate(other, options)]


def _beside(members: list[Location], paths: list[str]) -> tuple[str, str] | None:
    """Give the name and the path of the file that a header keeps its voxels in."""
    if len(members) < 2:
        return None
    return posixpath.basename(members[1].path), paths[1]


def _members(location: Location, options: InputOptions) -> list[Location]:
    base = location.url.rstrip("/")
    return [
        locate(f"{base}/{name}", options)
        for name in sorted(_names_below(location, options, recursive=False))
        if not name.startswith(".")
    ]


def _names_below(location: Location, options: InputOptions, recursive: bool) -> Iterator[str]:
    if location.is_local:
        for folder, folders, files in os.walk(location.path, onerror=_raise):
            relative = os.path.relpath(folder, location.path)
            for name in files:
                yield name if relative == "." else posixpath.join(relative, name)
            if not recursive:
                return
            folders.sort()
        return
    system = file_system(location, options)
    root = location.path.rstrip("/")
    found = system.find(root, maxdepth=None if recursive else 1, withdirs=False)
    for path in found:
        name = path[len(root) + 1 :]
        if name:
            yield name


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


def _raise(error: OSError) -> None:
    raise error
