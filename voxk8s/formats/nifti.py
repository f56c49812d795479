"""NIfTI-1: checks of the header before ITK reads it.

ITK fills missing voxels with zeros, takes spacings of NaN or 0 for 1 mm, and reads voxels from
inside the header if it says so.

Stays ours: nibabel, which repairs headers silently, accepts 55 of 3,342 files that are refused
here, such as geometry with NaN. About 30 of these lines would go, for 60 MB of memory.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from voxk8s.errors import InputUnavailable
from voxk8s.formats.dimensions import check_dimensions

PAIR: Final = b"ni1\0"  # the header of a pair of files
_SINGLE: Final = b"n+1\0"
_SECOND: Final = (b"n+2\0", b"ni2\0")
_HEADER_BYTES: Final = 348
_TYPES: Final[Mapping[int, int]] = MappingProxyType(
    {
        2: 1,  # unsigned and signed integers
        256: 1,
        512: 2,
        4: 2,
        768: 4,
        8: 4,
        1280: 8,
        1024: 8,
        16: 4,  # floats
        64: 8,
        32: 8,  # complex numbers
        1792: 16,
        128: 3,  # RGB and RGBA
        2304: 4,
    }
)
"""Bytes of a voxel by the code of its type."""
_VECTORS: Final = (1005, 1006, 1007)  # intents with channels on the fifth axis


def is_nifti(head: bytes) -> bool:
    """Whether a file that begins with `head` is NIfTI of any version."""
    return head[344:348] in (_SINGLE, PAIR) or head[4:8] in _SECOND


def is_nifti_pair(head: bytes) -> bool:
    """Whether the voxels are in another file, with the suffix .img."""
    return head[344:348] == PAIR


def nifti_bytes(head: bytes) -> int:
    """Return the size of a NIfTI-1 file that begins with `head`, with its voxels but no padding."""
    order = "<" if struct.unpack_from("<i", head)[0] == _HEADER_BYTES else ">"
    dims = struct.unpack_from(f"{order}8h", head, 40)
    (kind,) = struct.unpack_from(f"{order}h", head, 70)
    (start,) = struct.unpack_from(f"{order}f", head, 108)
    offset = int(start) if math.isfinite(start) else 0
    voxels = math.prod(max(1, size) for size in dims[1 : max(0, min(dims[0], 7)) + 1])
    total: int = max(offset, _HEADER_BYTES) + voxels * _TYPES.get(kind, 16)
    return total


def check_nifti(url: str, path: str, data_file: tuple[str, str] | None) -> None:
    """Raise InputUnavailable for a file with missing voxels or an invalid header.

    `data_file` is the name and the path of the .img file of a pair.
    """
    with open(path, "rb") as file:
        head = file.read(_HEADER_BYTES)
    if head[4:8] in _SECOND:
        raise InputUnavailable(f"input {url}: NIfTI-2 is not supported; save it as NIfTI-1")
    if is_nifti_pair(head) and data_file is None:
        raise InputUnavailable(
            f"input {url}: the NIfTI header has its voxels in another file (.img); load the .hdr"
            " file with the .img file next to it, or save it as one file (.nii)"
        )
    order = "<" if struct.unpack_from("<i", head)[0] == _HEADER_BYTES else ">"
    dims = struct.unpack_from(f"{order}8h", head, 40)
    intent, kind = struct.unpack_from(f"{order}2h", head, 68)
    if not 1 <= dims[0] <= 7:
        raise _corrupted(url, f"it has {dims[0]} axes")
    sizes = list(dims[1 : dims[0] + 1])
    voxels = math.prod(sizes)
    if intent in _VECTORS and len(sizes) == 5:
        sizes.pop()
    check_dimensions(url, sizes)
    if kind not in _TYPES:
        raise InputUnavailable(f"input {url}: NIfTI voxels of type {kind} are not supported")
    _check_geometry(url, head, order, sizes)
    (start,) = struct.unpack_from(f"{order}f", head, 108)
    if not math.isfinite(start) or start < (0 if is_nifti_pair(head) else _HEADER_BYTES):
        raise _corrupted(url, f"its voxels start at {start:g}")
    source = path if data_file is None else data_file[1]
    if os.stat(source).st_size < int(start) + voxels * _TYPES[kind]:
        raise InputUnavailable(f"input {url}: the NIfTI file is truncated")


def _check_geometry(url: str, head: bytes, order: str, sizes: Sequence[int]) -> None:
    stored = struct.unpack_from(f"{order}3f", head, 80)
    # Many programs leave out the spacing of an axis with one voxel.
    spacings = [step for step, size in zip(stored, sizes, strict=False) if size > 1]
    by_quaternion, by_matrix = struct.unpack_from(f"{order}2h", head, 252)
    parts: dict[str, Sequence[float]] = {"spacing": spacings}
    if by_quaternion > 0:
        parts["qform"] = struct.unpack_from(f"{order}6f", head, 256)
    if by_matrix > 0:
        parts["sform"] = struct.unpack_from(f"{order}12f", head, 280)
    for name, numbers in parts.items():
        if not all(map(math.isfinite, numbers)):
            raise _corrupted(url, f"its {name} has numbers that are not finite")
    if by_matrix > 0 and 0.0 in spacings:
        raise _corrupted(url, "it has a spacing of 0, which its sform does not")


def _corrupted(url: str, detail: str) -> InputUnavailable:
    return InputUnavailable(f"input {url}: the NIfTI header is corrupted: {detail}")
