"""Values of pinned inputs. Content that differs from the pin is never used."""

from __future__ import annotations

import os
import posixpath
import tempfile
from typing import TYPE_CHECKING, Final

from voxk8s.errors import InputUnavailable
from voxk8s.formats.sandbox.decoder import decode_input
from voxk8s.inputs.contents import combine, hash_file, input_files, is_folder
from voxk8s.inputs.filesystems import convert_errors
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.locations import Location, locate
from voxk8s.plan.keys.pins import Pin
from voxk8s.plan.model import Digest

if TYPE_CHECKING:
    from voxk8s.values import Value

_NAME_LENGTH: Final = 100
"""Characters of a file's name that its copy keeps, for error messages."""


def load_input(pin: Pin, options: InputOptions) -> Value:
    """Read a pinned input: an Image, or the value of a JSON document.

    The format is found from the content, never from the name. Raises InputUnavailable if the
    content is not what was pinned (the next run pins it again), or cannot be decoded.
    """
    location = locate(pin.url, options)
    with convert_errors(location):
        folder = is_folder(location, options)
        files = input_files(location, options)
    with tempfile.TemporaryDirectory(prefix="voxk8s-input-") as scratch:
        paths: list[str] = []
        parts: list[tuple[Digest, int]] = []
        with convert_errors(location):
            before = [_local_version(file) for file in files]
            for number, file in enumerate(files):
                path = _local_path(file, scratch, number)
                parts.append(hash_file(file, options, None if file.is_local else path))
                paths.append(path)
        digest = combine(parts, folder=folder)
        if digest != pin.digest:
            raise _changed(pin, digest)
        if folder:
            slices = [path for _, path in sorted(zip(parts, paths, strict=True))]
            value = decode_input(pin.url, slices, scratch, options.limits, series=True)
        else:
            data_file = (posixpath.basename(files[1].path), paths[1]) if len(files) > 1 else None
            value = decode_input(pin.url, paths[:1], scratch, options.limits, data_file=data_file)
        with convert_errors(location):
            # A local file may have been changed between hashing and decoding.
            if before != [_local_version(file) for file in files]:
                raise _changed(pin, None)
        return value


def _local_path(file: Location, scratch: str, number: int) -> str:
    """Return the path to read a file from: its own, or one in `scratch` with most of its name.

    ITK aborts the process if a name is not valid UTF-8; such a file is read through a symlink.
    """
    shown = posixpath.basename(file.path)[-_NAME_LENGTH:].encode("ascii", "replace").decode()
    path = os.path.join(scratch, f"{number:06d}-{shown}")
    if not file.is_local:
        return path
    try:
        file.path.encode()
    except UnicodeEncodeError:
        os.symlink(file.path, path)
        return path
    return file.path


def _local_version(file: Location) -> tuple[int, int] | None:
    if not file.is_local:
        return None
    found = os.stat(file.path)
    return found.st_size, found.st_mtime_ns


def _changed(pin: Pin, digest: Digest | None) -> InputUnavailable:
    detail = f" (expected sha256:{pin.digest}, got sha256:{digest})" if digest else ""
    return InputUnavailable(
        f"input {pin.url}: its content has changed since the run began{detail}; run again"
    )
