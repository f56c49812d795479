"""The pages of a TIFF file: the tags of each, and whether all are complete and of one kind.

libtiff returns the pages before the first broken one without an error, and ITK takes the kind of
the first page for all.

Stays ours: of 3,036 files tifffile as a parser accepts 42 with wrong voxels that are refused here,
and does not return from one whose pages form a cycle; reading with tifffile, 225.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import IO, Final

from voxk8s.errors import InputUnavailable
from voxk8s.formats.decode_limits import Allow
from voxk8s.formats.inflate import inflate

FLOAT: Final = 3
"""The sample format of floats."""
_NUMBERS: Final[Mapping[int, tuple[int, str]]] = MappingProxyType(
    {1: (1, "B"), 3: (1, "H"), 4: (1, "I"), 5: (2, "I"), 16: (1, "Q")}
)
"""Numbers a value and their format by the type of a tag; other types are ignored."""
_SUBFILE, _WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 256, 257, 258, 259, 262
_STRIPS, _ORIENTATION, _SAMPLES, _STRIP_SIZES, _X, _Y = 273, 274, 277, 279, 282, 283
_PLANAR, _UNIT, _TILES, _TILE_SIZES, _FORMAT = 284, 296, 324, 325, 339
_PALETTE: Final = 3
_DEFLATE: Final = (8, 32946)
_MILLIMETRES: Final = {2: 25.4, 3: 10.0}  # in an inch and in a centimetre
_MAX_PAGES: Final = 100_000
_MAX_VALUES: Final = 10_000_000
_MAX_RATIO: Final = 2000  # more than any compression of TIFF achieves


@dataclass(frozen=True, slots=True)
class Page:
    """The tags of a page that describe its voxels; numbers are those of the TIFF specification."""

    number: int
    subfile: int
    width: int
    length: int
    bits: int
    samples: int
    kind: int
    photometric: int
    compression: int
    planar: bool
    tiled: bool
    orientation: int
    spacing: tuple[float, float]

    @property
    def layout(self) -> tuple[int, ...]:
        """What the pages of a volume must have in common."""
        return self.width, self.length, self.bits, self.samples, self.kind

    @property
    def voxel_bytes(self) -> int:
        """The size of its voxels in memory; colours of a palette have up to four bytes."""
        width = max(1, self.bits // 8) * max(self.samples, 4 if self.photometric == _PALETTE else 1)
        return self.width * self.length * width


def read_pages(url: str, path: str, allow: Allow) -> list[Page]:
    """Return the pages of a file without reduced copies; raises InputUnavailable if it is damaged.

    The checksums of data compressed by deflate are checked, which libtiff does not always do.
    """
    try:
        with open(path, "rb") as file:
            pages = list(_pages(url, file, allow))
        _check_alike(path, pages)
        allow(sum(page.voxel_bytes for page in pages))
    except (struct.error, OverflowError, OSError) as error:
        raise InputUnavailable(f"input {url}: the TIFF file is truncated") from error
    except ValueError as error:
        raise InputUnavailable(f"input {url}: the TIFF file {error}") from error
    return pages


def _check_alike(path: str, pages: list[Page]) -> None:
    if not pages:
        raise ValueError("has no pages")
    claimed = sum(page.width * page.length * page.samples * page.bits // 8 for page in pages)
    if claimed > os.stat(path).st_size * _MAX_RATIO:
        raise ValueError("is corrupted: it is too short for its width and length")
    layouts = sorted({page.layout for page in pages})
    if len({layout[:2] for layout in layouts}) > 1:
        shapes = " and ".join(f"{layout[0]}x{layout[1]}" for layout in layouts[:2])
        raise ValueError(f"has pages of different sizes ({shapes}); save each to its own file")
    if len(layouts) > 1:
        kinds = " and ".join(f"{layout[3]} samples of {layout[2]} bits" for layout in layouts[:2])
        raise ValueError(f"has pages of different kinds ({kinds}); save each to its own file")


def _pages(url: str, file: IO[bytes], allow: Allow) -> Iterator[Page]:
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = struct.unpack_from(f"{order}H", head, 2)[0] == 43
    word, count = ("Q", "Q") if big else ("I", "H")
    (place,) = struct.unpack_from(order + word, head, 8 if big else 4)
    seen: set[int] = set()
    while place:
        if place in seen or len(seen) == _MAX_PAGES:  # libtiff would never return
            raise ValueError("is corrupted: its pages form a cycle or are too many")
        number = len(seen)
        seen.add(place)
        file.seek(place)
        (entries,) = _unpack(file, order + count)
        raw = [_unpack_entry(file, order, word) for _ in range(entries)]
        (place,) = _unpack(file, order + word)
        tags = {
            tag: _values(file, order, kind, length, content)
            for tag, kind, length, content in raw
            if kind in _NUMBERS
        }
        if not _first(tags, _SUBFILE, 0) & 1:
            _check_deflate(url, file, tags, allow)
            yield _page(number, tags)


def _page(number: int, tags: Mapping[int, tuple[int, ...]]) -> Page:
    bits = set(tags.get(_BITS, (1,)))
    return Page(
        number=number,
        subfile=_first(tags, _SUBFILE, 0),
        width=_first(tags, _WIDTH, 0),
        length=_first(tags, _LENGTH, 0),
        bits=bits.pop() if len(bits) == 1 else 0,
        samples=_first(tags, _SAMPLES, 1),
        kind=_first(tags, _FORMAT, 1),
        photometric=_first(tags, _PHOTOMETRIC, 1),
        compression=_first(tags, _COMPRESSION, 1),
        planar=_first(tags, _PLANAR, 1) == 2,
        tiled=_TILES in tags,
        orientation=_first(tags, _ORIENTATION, 1),
        spacing=_spacing(tags),
    )


def _spacing(tags: Mapping[int, tuple[int, ...]]) -> tuple[float, float]:
    """Return the spacing in millimetres as ITK does: 1 unless there are a resolution and a unit."""
    millimetres = _MILLIMETRES.get(_first(tags, _UNIT, 2))
    x, y = tags.get(_X, (0, 0)), tags.get(_Y, (0, 0))
    if millimetres is None or len(x) < 2 or len(y) < 2 or 0 in (*x[:2], *y[:2]):
        return 1.0, 1.0
    return millimetres * x[1] / x[0], millimetres * y[1] / y[0]


def _check_deflate(
    url: str, file: IO[bytes], tags: Mapping[int, tuple[int, ...]], allow: Allow
) -> None:
    if _first(tags, _COMPRESSION, 1) not in _DEFLATE:
        return
    places = tags.get(_TILES) or tags.get(_STRIPS, ())
    sizes = tags.get(_TILE_SIZES) or tags.get(_STRIP_SIZES, ())
    for place, size in zip(places, sizes, strict=False):
        if size:  # 0 for a tile that is left out
            file.seek(place)
            for _ in inflate(url, "TIFF", io.BytesIO(file.read(size)), allow, whole=False):
                pass


def _unpack_entry(file: IO[bytes], order: str, word: str) -> tuple[int, int, int, bytes]:
    tag, kind, length = _unpack(file, f"{order}HH{word}")
    content = file.read(struct.calcsize(word))
    return tag, kind, length, content


def _values(file: IO[bytes], order: str, kind: int, length: int, content: bytes) -> tuple[int, ...]:
    numbers, letter = _NUMBERS[kind]
    form = f"{order}{numbers * min(length, _MAX_VALUES)}{letter}"
    size = struct.calcsize(form)
    if size > len(content):
        word = "Q" if len(content) == 8 else "I"
        (place,) = struct.unpack(order + word, content)
        if place + size > os.fstat(file.fileno()).st_size:
            raise ValueError("is truncated")
        file.seek(place)
        content = file.read(size)
    values: tuple[int, ...] = struct.unpack_from(form, content)
    return values


def _first(tags: Mapping[int, tuple[int, ...]], tag: int, default: int) -> int:
    return next(iter(tags.get(tag, ())), default)


def _unpack(file: IO[bytes], form: str) -> tuple[int, ...]:
    found: tuple[int, ...] = struct.unpack(form, file.read(struct.calcsize(form)))
    return found
