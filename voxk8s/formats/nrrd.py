"""NRRD: what its header names, and whether compressed voxels are whole.

NrrdIO stops once it has as many voxels as it wants, before the checksum behind them.
"""

from __future__ import annotations

import gzip
import re
import zlib
from typing import Final

from voxk8s.errors import InputUnavailable

HEADER_BYTES: Final = 64 * 1024
"""The longest header that is read; most have a few hundred bytes."""
_DATA_FILE: Final = re.compile(rb"^data ?file:\s*([^\r\n]*)", re.MULTILINE | re.IGNORECASE)
_ENCODING: Final = re.compile(rb"^encoding:\s*(gzip|gz)\s*$", re.MULTILINE | re.IGNORECASE)
_SKIP: Final = re.compile(rb"^(line|byte) ?skip:\s*[^0\s]", re.MULTILINE | re.IGNORECASE)
_END: Final = re.compile(rb"\r?\n\r?\n")
_CHUNK: Final = 1024 * 1024


def header_lines(head: bytes) -> bytes | None:
    """Give the header's lines; None if it does not end within `head`."""
    found = _END.search(head)
    return head[: found.start()].replace(b"\r\n", b"\n") if found else None


def data_file_name(head: bytes) -> str | None:
    """Give what the header names as the place of its voxels; None if it holds them itself."""
    header = header_lines(head)
    found = _DATA_FILE.search(head if header is None else header)
    return found[1].decode("utf-8", "replace").strip() if found else None


def check_nrrd(url: str, path: str, beside: tuple[str, str] | None) -> None:
    """Raise InputUnavailable for voxels elsewhere than in the file or in `beside`, or broken."""
    with open(path, "rb") as file:
        head = file.read(HEADER_BYTES)
    header = header_lines(head)
    other = data_file_name(head)
    if header is None and (other is None or len(head) == HEADER_BYTES):
        raise InputUnavailable(f"input {url}: the NRRD header is corrupted or truncated")
    header = head if header is None else header  # a detached one needs no empty line at its end
    if b"\r" in header.strip():
        raise InputUnavailable(f"input {url}: the NRRD header is corrupted: its lines end in CR")
    if other is not None and (beside is None or beside[0] != other):
        raise InputUnavailable(
            f"input {url}: the NRRD header keeps its voxels in another file ({other}); save it as"
            " one file (.nrrd)"
        )
    if _ENCODING.search(header) and not _SKIP.search(header):
        start = _END.search(head)
        offset = start.end() if start and other is None else 0
        _check_gzip(url, path if other is None or beside is None else beside[1], offset)


def _check_gzip(url: str, path: str, offset: int) -> None:
    with open(path, "rb") as file:
        file.seek(offset)
        try:
            with gzip.GzipFile(fileobj=file) as voxels:
                while voxels.read(_CHUNK):
                    pass
        except EOFError as error:
            raise InputUnavailable(f"input {url}: the NRRD file is truncated") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise InputUnavailable(f"input {url}: the NRRD file is corrupted: {error}") from error
