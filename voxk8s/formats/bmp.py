"""BMP: whether all of its voxels are in the file.

ITK fills missing voxels with what happens to be in memory.
"""

from __future__ import annotations

import os
import struct

from voxk8s.errors import InputUnavailable


def check_bmp(url: str, path: str) -> None:
    """Raise InputUnavailable if a BMP is shorter than its header says."""
    with open(path, "rb") as file:
        head = file.read(34).ljust(34, b"\0")
    (start,) = struct.unpack_from("<I", head, 10)
    width, height, _, bits, compression = struct.unpack_from("<iiHHI", head, 18)
    row = (abs(width) * bits + 31) // 32 * 4
    if os.stat(path).st_size < start + (0 if compression else row * abs(height)):
        raise InputUnavailable(f"input {url}: the BMP file is truncated")
