"""The files that make up an input, and their digests.

An input is one file, a header with its detached data file, or the files of a folder (a DICOM
series).
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, Final

from voxk8s.errors import InputUnavailable
from voxk8s.formats.detached_header import HEADER_BYTES, HEADER_SUFFIXES, data_file_url
from voxk8s.inputs import volumes
from voxk8s.inputs.filesystems import convert_errors, file_system
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.locations import Location, locate
from voxk8s.plan.model import Digest

_CHUNK: Final = 8 * 1024 * 1024


def is_folder(location: Location, options: InputOptions) -> bool:
    """Whether a location is a folder; raises what its file system raises if it does not exist."""
    if location.is_local or location.is_in_volume:
        os.stat(location.path)
        return os.path.isdir(location.path)
    if location.scheme != "s3":
        return False
    info = file_system(location, options).info(location.path.rstrip("/"))
    return bool(info["type"] == "directory")


def may_be_detached_header(location: Location) -> bool:
    """Whether the voxels of a file may be in another file, judged by its suffix."""
    return location.path.lower().endswith(HEADER_SUFFIXES)


def input_files(location: Location, options: InputOptions) -> list[Location]:
    """Return the files of an input: of a folder all but hidden ones, of a header its data file."""
    if is_folder(location, options):
        base = location.url.rstrip("/")
        return [
            locate(f"{base}/{name}", options)
            for name in sorted(names_below(location, options, recursive=False))
            if not name.startswith(".")
        ]
    if not may_be_detached_header(location):
        return [location]
    with _opened(location, options) as file:
        other = data_file_url(location.url, file.read(HEADER_BYTES))
    if other is None:
        return [location]
    # Beside a header that may be read; only a link on this machine could lead elsewhere.
    allowed = options if location.is_local else replace(options, confinement=None)
    return [location, locate(other, allowed)]


def names_below(location: Location, options: InputOptions, recursive: bool) -> Iterator[str]:
    """Yield the paths of the files in a folder, relative to it."""
    if location.is_local:
        for folder, folders, files in os.walk(location.path, onerror=_raise):
            relative = os.path.relpath(folder, location.path)
            for name in files:
                yield name if relative == "." else posixpath.join(relative, name)
            if not recursive:
                return
            folders.sort()
        return
    if location.is_in_volume:
        yield from volumes.names_below(location.url, location.path, location.base, recursive)
        return
    system = file_system(location, options)
    root = location.path.rstrip("/")
    found = system.find(root, maxdepth=None if recursive else 1, withdirs=False)
    for path in found:
        name = path[len(root) + 1 :]
        if name:
            yield name


def _raise(error: OSError) -> None:
    raise error


def hash_file(
    location: Location, options: InputOptions, copy_to: str | None = None
) -> tuple[Digest, int]:
    """Return the SHA-256 and the size of a file, and copy it to the path `copy_to`.

    Raises InputUnavailable for a file of another machine that exceeds the limits of `options`.
    """
    hasher = hashlib.sha256()
    size = 0
    with (
        convert_errors(location),
        _opened(location, options) as source,
        open(copy_to or os.devnull, "wb") as copy,
    ):
        while chunk := source.read(_CHUNK):
            hasher.update(chunk)
            copy.write(chunk)
            size += len(chunk)
            if size > options.limits.largest and not location.is_local:
                # A server may send without an end, and a copy of it would fill the disk.
                options.limits.check(location.url, size, size)
    return Digest(hasher.hexdigest()), size


@contextmanager
def _opened(location: Location, options: InputOptions) -> Iterator[IO[bytes]]:
    if location.is_local:
        path = location.path
        if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
            # Reading a pipe or a device may block, or never end.
            raise InputUnavailable(f"input {location.url}: not a regular file")
        with open(path, "rb") as file:
            yield file
    elif location.is_in_volume:
        with volumes.open_file(location.url, location.path, location.base) as file:
            yield file
    else:
        with file_system(location, options).open(
            location.path, "rb", block_size=_CHUNK, cache_type="readahead"
        ) as file:
            yield file


def combine(parts: Sequence[tuple[Digest, int]], *, folder: bool) -> Digest:
    """Return the digest of an input from digest and size of each of its files.

    Files of a folder count in the order of their digests, so their names do not matter. The digest
    of an input of a single file is that of the file, unless it is in a folder.
    """
    if len(parts) == 1 and not folder:
        return parts[0][0]
    return hash_json([hashed for hashed, _ in (sorted(parts) if folder else parts)])


def hash_json(parts: list[str]) -> Digest:
    """Return the SHA-256 of strings as a compact JSON list."""
    content = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return Digest(hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest())
