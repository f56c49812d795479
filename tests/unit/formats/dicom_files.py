"""Writes DICOM files for tests: explicit VR, little endian."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

PLAIN = "1.2.840.10008.1.2.1"
JPEG = "1.2.840.10008.1.2.4.50"
CT = "1.2.840.10008.5.1.4.1.1.2"
_LONG = ("OB", "OW")


def _element(group: int, element: int, kind: str, value: str | int | bytes) -> bytes:
    if isinstance(value, str):
        data = value.encode()
        data += (b"\0" if kind == "UI" else b" ") * (len(data) % 2)
    else:
        data = struct.pack("<H", value) if isinstance(value, int) else value
    size = struct.pack("<xxI" if kind in _LONG else "<H", len(data))
    return struct.pack("<HH", group, element) + kind.encode() + size + data


def _items(jpeg: bytes) -> bytes:
    jpeg += b"\0" * (len(jpeg) % 2)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(jpeg)) + jpeg
    start = struct.pack("<HH2sxxI", 0x7FE0, 0x10, b"OB", 0xFFFFFFFF)
    return (
        start
        + struct.pack("<HHI", 0xFFFE, 0xE000, 0)
        + item
        + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    )


def write_slice(
    path: Path,
    voxels: np.ndarray,
    position: tuple[float, float, float] | None,
    *,
    number: int = 1,
    series: str = "1.2.3.4",
    axes: str = "1\\0\\0\\0\\1\\0",
    slope: str | None = None,
    kind: str = CT,
    jpeg: bytes | None = None,
    frames: int | None = None,
) -> None:
    """Write one slice, 0.5 mm by 0.5 mm: integers, or bytes given as a JPEG."""
    rows, columns = voxels.shape[-2:]
    bits = voxels.dtype.itemsize * 8
    tags: list[tuple[int, int, str, str | int | bytes]] = [
        (0x08, 0x16, "UI", kind),
        (0x08, 0x18, "UI", f"{series}.{number}"),
        (0x08, 0x60, "CS", "CT"),
        (0x20, 0x0E, "UI", series),
        (0x20, 0x13, "IS", str(number)),
        (0x28, 0x02, "US", 1),
        (0x28, 0x04, "CS", "MONOCHROME2"),
        (0x28, 0x10, "US", rows),
        (0x28, 0x11, "US", columns),
        (0x28, 0x30, "DS", "0.5\\0.5"),
        (0x28, 0x100, "US", bits),
        (0x28, 0x101, "US", bits),
        (0x28, 0x102, "US", bits - 1),
        (0x28, 0x103, "US", int(voxels.dtype.kind == "i")),
    ]
    if position is not None:
        tags.append((0x20, 0x32, "DS", "\\".join(f"{number:.9g}" for number in position)))
        tags.append((0x20, 0x37, "DS", axes))
    if slope is not None:
        tags += [(0x28, 0x1052, "DS", "0"), (0x28, 0x1053, "DS", slope)]
    if frames is not None:
        tags.append((0x28, 0x08, "IS", str(frames)))
    body = b"".join(_element(*tag) for tag in sorted(tags, key=lambda tag: tag[:2]))
    meta = b"".join(
        _element(2, *tag)
        for tag in (
            (0x01, "OB", b"\0\1"),
            (0x02, "UI", kind),
            (0x03, "UI", f"{series}.{number}"),
            (0x10, "UI", PLAIN if jpeg is None else JPEG),
        )
    )
    pixels = (
        _element(0x7FE0, 0x10, "OW" if bits > 8 else "OB", voxels.tobytes())
        if jpeg is None
        else _items(jpeg)
    )
    length = _element(2, 0, "UL", struct.pack("<I", len(meta)))
    path.write_bytes(b"\0" * 128 + b"DICM" + length + meta + body + pixels)
