"""MetaImage: its header is parsed here, and ITK gets a new one with known fields only.

ITK's MetaIO aborts the process on some headers, opens any file that a header names, and returns
uninitialized memory for corrupted compressed voxels.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import IO, Final

from voxk8s.errors import InputUnavailable
from voxk8s.formats.decode_limits import Allow
from voxk8s.formats.dimensions import check_dimensions
from voxk8s.formats.inflate import inflate

HEADER_BYTES: Final = 64 * 1024
"""The longest supported header; those of scanners have a few hundred bytes."""
_TEXT_BYTES: Final = 24
"""Memory of voxels as text, for each byte: objects of at least two bytes."""
_LINE: Final = re.compile(rb"\s*+(\w++)\s*+[=:]\s*+(.*+)")
_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "MET_CHAR": "i1",
        "MET_UCHAR": "u1",
        "MET_SHORT": "i2",
        "MET_USHORT": "u2",
        "MET_INT": "i4",
        "MET_UINT": "u4",
        "MET_LONG": "i4",
        "MET_ULONG": "u4",
        "MET_LONG_LONG": "i8",
        "MET_ULONG_LONG": "u8",
        "MET_FLOAT": "f4",
        "MET_DOUBLE": "f8",
    }
)
"""NumPy types: a letter and the bytes of a voxel."""
_GEOMETRY: Final = (
    *("TransformMatrix", "Rotation", "Orientation", "Offset", "Position", "Origin"),
    *("CenterOfRotation", "ElementSpacing", "ElementSize"),
)


@dataclass(frozen=True, slots=True)
class MetaHeader:
    """The fields of a header by name, and its length in bytes."""

    fields: Mapping[str, str]
    end: int


def parse_header(head: bytes) -> MetaHeader | None:
    """Parse a header up to its last line, `ElementDataFile`; None if invalid or incomplete."""
    fields: dict[str, str] = {}
    place = 0
    while (end := head.find(b"\n", place)) >= 0 or place < len(head):
        end = len(head) if end < 0 else end
        line = head[place:end].removesuffix(b"\r")
        found = _LINE.fullmatch(line)
        place = end + 1
        if found is None and line.strip():
            return None
        if found is not None:
            name = found[1].decode("ascii", "replace")
            fields[name] = found[2].rstrip().decode("utf-8", "replace")
            if name == "ElementDataFile":
                return MetaHeader(fields, min(place, len(head)))
    return None


def normalize_metaimage(
    url: str, path: str, data_file: tuple[str, str] | None, scratch: str, allow: Allow
) -> str:
    """Write a header with known fields and plain voxels to `scratch`; returns its path.

    Raises InputUnavailable for damaged files, and for voxels outside of the file and `data_file`,
    which is the name and the path of the data file of a detached header.
    """
    with open(path, "rb") as file:
        header = parse_header(file.read(HEADER_BYTES))
    if header is None:
        raise InputUnavailable(f"input {url}: the MetaImage header is corrupted or truncated")
    fields = header.fields
    name = fields["ElementDataFile"]
    local = name.upper() == "LOCAL"
    if not local and (data_file is None or data_file[0] != name):
        raise InputUnavailable(
            f"input {url}: the MetaImage header has its voxels in another file ({name}); save it"
            " as one file (.mha)"
        )
    sizes = _sizes(url, fields)
    check_dimensions(url, sizes)
    kind = fields.get("ElementType", "")
    if kind not in _TYPES:
        raise InputUnavailable(
            f"input {url}: MetaImage voxels of type {kind or '?'} are not supported"
        )
    channels = _whole(url, fields, "ElementNumberOfChannels", 1)
    if channels < 1:
        raise _corrupted(url, "ElementNumberOfChannels", fields)
    wanted = math.prod(sizes) * channels * int(_TYPES[kind][1])
    allow(wanted)
    source = path if local or data_file is None else data_file[1]
    offset = _offset(url, header, source, local, wanted)
    target = os.path.join(scratch, "voxk8s-voxels")
    with open(source, "rb") as voxels:
        voxels.seek(offset)
        if not _flag(fields, "BinaryData", True):
            _read_text(url, voxels, target, _TYPES[kind], wanted, allow)
        elif _flag(fields, "CompressedData", False):
            _inflate(url, voxels, target, wanted, allow)
        elif os.stat(source).st_size < offset + wanted:
            raise _truncated(url)
        else:
            target = source
    shape = (sizes, channels)
    return _write_header(url, fields, shape, target, offset if target == source else 0, scratch)


def _write_header(
    url: str,
    fields: Mapping[str, str],
    shape: tuple[list[int], int],
    target: str,
    offset: int,
    scratch: str,
) -> str:
    name = "voxk8s-image.raw"
    os.symlink(os.path.abspath(target), os.path.join(scratch, name))
    sizes, channels = shape
    big = _flag(fields, "BinaryData", True) and (
        _flag(fields, "BinaryDataByteOrderMSB", False)
        or _flag(fields, "ElementByteOrderMSB", False)
    )
    lines = ["ObjectType = Image", f"NDims = {len(sizes)}", "BinaryData = True"]
    lines += [f"BinaryDataByteOrderMSB = {big}", "CompressedData = False"]
    for key in _GEOMETRY:
        if key in fields:
            lines.append(f"{key} = {' '.join(map(repr, _numbers(url, fields, key)))}")
    lines += [f"DimSize = {' '.join(map(str, sizes))}", f"ElementType = {fields['ElementType']}"]
    lines += [f"ElementNumberOfChannels = {channels}", f"HeaderSize = {offset}"]
    header = os.path.join(scratch, "voxk8s-image.mhd")
    with open(header, "w", encoding="ascii") as file:
        file.write("\n".join([*lines, f"ElementDataFile = {name}", ""]))
    return header


def _sizes(url: str, fields: Mapping[str, str]) -> list[int]:
    try:
        sizes = [int(size) for size in fields.get("DimSize", "").split()]
    except ValueError as error:
        raise _corrupted(url, "DimSize", fields) from error
    if not sizes or _whole(url, fields, "NDims", 0) != len(sizes):
        raise _corrupted(url, "DimSize", fields)
    return sizes


def _numbers(url: str, fields: Mapping[str, str], name: str) -> list[float]:
    try:
        numbers = [float(number) for number in fields[name].split()]
    except ValueError as error:
        raise _corrupted(url, name, fields) from error
    if not all(map(math.isfinite, numbers)):
        raise _corrupted(url, name, fields)
    return numbers


def _offset(url: str, header: MetaHeader, source: str, local: bool, wanted: int) -> int:
    skip = _whole(url, header.fields, "HeaderSize", 0)
    start = header.end if local else 0
    if skip == -1:  # the voxels are the end of the file
        return max(start, os.stat(source).st_size - wanted)
    if skip < 0 or (skip and skip < start):
        raise _corrupted(url, "HeaderSize", header.fields)
    return skip or start


def _inflate(url: str, source: IO[bytes], target: str, wanted: int, allow: Allow) -> None:
    written = 0
    with open(target, "wb") as sink:
        for chunk in inflate(url, "MetaImage", source, allow, whole=False):
            written += sink.write(chunk)
            if written > wanted:
                break
    if written != wanted:
        raise InputUnavailable(
            f"input {url}: the MetaImage file is corrupted: its compressed voxels are not the"
            f" {wanted} bytes that DimSize says"
        )


def _read_text(
    url: str, source: IO[bytes], target: str, kind: str, wanted: int, allow: Allow
) -> None:
    import numpy as np

    try:
        text = source.read()
        allow(len(text) * _TEXT_BYTES)
        values = np.array(text.split()).astype(kind)
    except (ValueError, OverflowError) as error:
        raise InputUnavailable(f"input {url}: the MetaImage file is corrupted: {error}") from error
    if values.nbytes < wanted:
        raise _truncated(url)
    values[: wanted // values.itemsize].tofile(target)


def _flag(fields: Mapping[str, str], name: str, default: bool) -> bool:
    value = fields.get(name, "")
    return value[:1] in "Tt1" if value else default  # as MetaIO takes it


def _whole(url: str, fields: Mapping[str, str], name: str, default: int) -> int:
    try:
        return int(fields.get(name, default))
    except ValueError as error:
        raise _corrupted(url, name, fields) from error


def _truncated(url: str) -> InputUnavailable:
    return InputUnavailable(f"input {url}: the MetaImage file is truncated")


def _corrupted(url: str, name: str, fields: Mapping[str, str]) -> InputUnavailable:
    shown = fields.get(name, "nothing")
    return InputUnavailable(
        f"input {url}: the MetaImage header is corrupted: {name} is {shown[:80]!r}"
    )
