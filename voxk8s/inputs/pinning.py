"""The state of an input without its content (`stat`), and the pin of its content (`pin_input`).

An input is pinned before anything is scheduled: the digest of its content is part of result keys.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from voxk8s.constants import DEFAULT_REGION
from voxk8s.errors import InputUnavailable
from voxk8s.inputs.contents import (
    combine,
    hash_file,
    input_files,
    is_folder,
    may_be_detached_header,
)
from voxk8s.inputs.filesystems import convert_errors, file_system
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.local_version import local_version
from voxk8s.inputs.locations import Location, locate
from voxk8s.plan.keys.pins import Pin


@dataclass(frozen=True, slots=True)
class InputStat:
    """What a file system knows about an input without reading its content.

    `version` is the ETag or the time of the last change: inputs with equal URL, size, version and
    `server` have the same content. It is empty where the file system has neither; then nothing
    about the input may be remembered. `server` is empty where the URL names it; for a claim it is
    the namespace, since others have claims of the same name.
    """

    url: str
    size: int
    version: str
    kind: Literal["file", "folder"]
    server: str = ""


def server_of(location: Location, options: InputOptions) -> str:
    """Return what the URL of an input does not say: the server of a bucket, a claim's namespace."""
    if location.is_in_volume:
        return f"pvc {options.volumes.namespace}" if options.volumes is not None else ""
    if location.scheme != "s3":
        return ""
    return f"{(options.endpoint or 'aws').rstrip('/')} {options.region or DEFAULT_REGION}"


def stat(url: str, options: InputOptions) -> InputStat:
    """Return size and version of an input.

    Raises InputUnavailable, InputUnreachable or InputNotAllowed.
    """
    location = locate(url, options)
    # The version of a header says nothing about its data file.
    has_version = not may_be_detached_header(location)
    with convert_errors(location):
        if location.is_local or location.is_in_volume:
            found = os.stat(location.path)
            version = local_version(found)
            kind: Literal["file", "folder"] = "folder" if is_folder(location, options) else "file"
            server = server_of(location, options)
            return InputStat(url, found.st_size, version if has_version else "", kind, server)
        info = file_system(location, options).info(location.path)
    if info.get("type") == "directory":
        return InputStat(url, 0, "", "folder")
    changed = info.get("ETag") or info.get("LastModified") or info.get("Last-Modified") or ""
    size = info.get("size")
    # A version without a size is not trusted to tell two contents apart.
    known = size is not None and has_version
    server = server_of(location, options)
    return InputStat(url, size or 0, str(changed).strip('"') if known else "", "file", server)


def pin_input(url: str, options: InputOptions) -> Pin:
    """Read an input and return its pin: SHA-256 and size of its content.

    The digest of a folder (a DICOM series) is that of the sorted digests of its files, so their
    names do not matter; the digest of a detached header includes its data file. Raises
    InputUnavailable, InputUnreachable or InputNotAllowed.
    """
    location = locate(url, options)
    with convert_errors(location):
        folder = is_folder(location, options)
        parts = [hash_file(file, options) for file in input_files(location, options)]
    if not parts:
        raise InputUnavailable(f"input {url}: the folder has no files")
    return Pin(url, combine(parts, folder=folder), sum(size for _, size in parts))
