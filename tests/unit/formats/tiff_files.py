"""Writes TIFF files for tests: any type of samples in strips, tiles or planes."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

_KINDS = {"u": 1, "i": 2, "f": 3}
_DEFLATE = 8


def write_tiff(
    path: Path,
    voxels: np.ndarray,
    *,
    tile: int | None = None,
    planar: bool = False,
    tags: Mapping[int, int] | None = None,
    packed: list[bytes] | None = None,
) -> None:
    """Write one page: as it is, in square tiles, or in planes; `packed` are deflated strips."""
    length, width = voxels.shape[:2]
    samples = 1 if voxels.ndim == 2 else voxels.shape[2]
    if packed is not None:
        chunks = packed
    elif tile is not None:
        padded = np.pad(
            voxels, [(0, -length % tile), (0, -width % tile), *[(0, 0)] * (samples > 1)]
        )
        chunks = [
            padded[y : y + tile, x : x + tile].tobytes()
            for y in range(0, length, tile)
            for x in range(0, width, tile)
        ]
    elif planar:
        chunks = [voxels[..., sample].tobytes() for sample in range(samples)]
    else:
        chunks = [voxels.tobytes()]
    places = np.cumsum([8, *map(len, chunks)]).tolist()
    entries: dict[int, list[int]] = {
        256: [width],
        257: [length],
        258: [voxels.dtype.itemsize * 8] * samples,
        259: [1 if packed is None else _DEFLATE],
        262: [2 if samples >= 3 else 1],
        277: [samples],
        284: [2 if planar else 1],
        339: [_KINDS[voxels.dtype.kind]] * samples,
    }
    where, sizes = places[:-1], [len(chunk) for chunk in chunks]
    entries |= (
        {322: [tile], 323: [tile], 324: where, 325: sizes}
        if tile
        else {273: where, 278: [length], 279: sizes}
    )
    entries |= {tag: [value] for tag, value in (tags or {}).items()}
    end = places[-1] + places[-1] % 2
    rest = end + 2 + 12 * len(entries) + 4
    table, values = struct.pack("<H", len(entries)), b""
    for tag, numbers in sorted(entries.items()):
        data = struct.pack(f"<{len(numbers)}I", *numbers)
        if len(data) > 4:
            table += struct.pack("<HHII", tag, 4, len(numbers), rest + len(values))
            values += data
        else:
            table += struct.pack("<HHI", tag, 4, len(numbers)) + data
    body = b"".join(chunks)
    path.write_bytes(
        b"II*\0"
        + struct.pack("<I", end)
        + body
        + b"\0" * (len(body) % 2)
        + table
        + bytes(4)
        + values
    )
