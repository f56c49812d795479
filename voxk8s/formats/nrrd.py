"""NRRD: the data file that a header names, and the checksums of compressed voxels.

ITK's NrrdIO stops reading before the checksum, once it has all voxels.
"""

from __future__ import annotations

import re
from typing import Final

from voxk8s.errors import InputUnavailable
from voxk8s.formats.decode_limits import Allow
from voxk8s.formats.inflate import inflate

HEADER_BYTES: Final = 64 * 1024
"""The longest supported header; most have a few hundred bytes."""
_DATA_FILE: Final = re.compile(rb"^data ?file:\s*([^\r\n]*)", re.MULTILINE | re.IGNORECASE)
_ENCODING: Final = re.compile(rb"^encoding:\s*(gzip|gz)\s*$", re.MULTILINE | re.IGNORECASE)
_SKIP: Final = re.compile(rb"^(line|byte) ?skip:\s*[^0\s]", re.MULTILINE | re.IGNORECASE)
_END: Final = re.compile(rb"\r?\n\r?\n")


def header_lines(head: bytes) -> bytes | None:
    """Return the lines of the header; None if `head` does not contain its end."""
    found = _END.search(head)
    return head[: found.start()].replace(b"\r\n", b"\n") if found else None


def data_file_name(head: bytes) -> str | None:
    """Return the data file that the header names; None if the voxels are in the same file."""
    header = header_lines(head)
    found = _DATA_FILE.search(head if header is None else header)
    return found[1].decode("utf-8", "replace").strip() if found else None


def check_nrrd(url: str, path: str, data_file: tuple[str, str] | None, allow: Allow) -> None:
    """Raise InputUnavailable for damaged files, and for voxels outside of the file and `data_file`.

    `data_file` is the name and the path of the data file of a detached header.
    """
    with open(path, "rb") as file:
        head = file.read(HEADER_BYTES)
    header = header_lines(head)
    other = data_file_name(head)
    if header is None and (other is None or len(head) == HEADER_BYTES):
        raise InputUnavailable(f"input {url}: the NRRD header is corrupted or truncated")
    header = head if header is None else header  # a detached header may end without an empty line
    if b"\r" in header.strip():
        raise InputUnavailable(f"input {url}: the NRRD header is corrupted: its lines end with CR")
    if other is not None and (data_file is None or data_file[0] != other):
        raise InputUnavailable(
            f"input {url}: the NRRD header has its voxels in another file ({other}); save it as"
            " one file (.nrrd)"
        )
    if _ENCODING.search(header) and not _SKIP.search(header):
        start = _END.search(head)
        offset = start.end() if start and other is None else 0
        with open(path if other is None or data_file is None else data_file[1], "rb") as file:
            file.seek(offset)
            for _ in inflate(url, "NRRD", file, allow):
                pass
