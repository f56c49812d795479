"""The pages of a TIFF file: what each is, whether all are there, and alike.

libtiff gives the pages before the first broken one and no error, and ITK takes the kind of the
first page for all.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import IO, Final

_SMALL: Final[Mapping[int, str]] = MappingProxyType({1: "B", 3: "H", 4: "I", 5: "II", 16: "Q"})
_SUBFILE, _WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 256, 257, 258, 259, 262
_STRIPS, _ORIENTATION, _SAMPLES, _STRIP_SIZES, _X, _Y = 273, 274, 277, 279, 282, 283
_PLANAR, _UNIT, _TILES, _TILE_SIZES, _FORMAT = 284, 296, 324, 325, 339
_DEFLATE: Final = (8, 32946)
_MILLIMETRES: Final = {2: 25.4, 3: 10.0}  # of an inch and of a centimetre
_MOST_PAGES: Final = 100_000
_MOST_VALUES: Final = 10_000_000
_CHUNK: Final = 1024 * 1024
_MOST_PACKED: Final = 2000  # no way of compression that TIFF has comes to more


@dataclass(frozen=True, slots=True)
class Page:
    """One page: the tags that tell how its voxels are kept. Numbers are those of TIFF."""

    number: int
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
    def look(self) -> tuple[int, ...]:
        """What all pages of a volume have in common."""
        return self.width, self.length, self.bits, self.samples, self.kind


def read_pages(path: str) -> list[Page]:
    """Give the pages but for smaller copies of others; ValueError says what is wrong.

    The text completes a sentence that begins `the TIFF file is`. Data compressed by deflate are
    verified by their checksums, which libtiff leaves out now and then.
    """
    with open(path, "rb") as file:
        try:
            pages = list(_pages(file))
        except (struct.error, OverflowError, OSError) as error:
            raise ValueError("truncated") from error
    if not pages:
        raise ValueError("without pages")
    claimed = sum(page.width * page.length * page.samples * page.bits // 8 for page in pages)
    if claimed > os.stat(path).st_size * _MOST_PACKED:
        raise ValueError("corrupted: it is too short for its width and length")
    looks = sorted({page.look for page in pages})
    if len({look[:2] for look in looks}) > 1:
        shapes = " and ".join(f"{look[0]}x{look[1]}" for look in looks[:2])
        raise ValueError(f"made of pages of different sizes ({shapes}); save them one by one")
    if len(looks) > 1:
        kinds = " and ".join(f"{look[3]} samples of {look[2]} bits" for look in looks[:2])
        raise ValueError(f"made of pages of different kinds ({kinds}); save them one by one")
    return pages


def _pages(file: IO[bytes]) -> Iterator[Page]:
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = struct.unpack_from(f"{order}H", head, 2)[0] == 43
    word, count = ("Q", "Q") if big else ("I", "H")
    (place,) = struct.unpack_from(order + word, head, 8 if big else 4)
    seen: set[int] = set()
    while place:
        if place in seen or len(seen) == _MOST_PAGES:  # libtiff would go on for ever
            raise ValueError("corrupted: its pages have no end")
        number = len(seen)
        seen.add(place)
        file.seek(place)
        (entries,) = _unpack(file, order + count)
        raw = [_unpack_entry(file, order, word) for _ in range(entries)]
        (place,) = _unpack(file, order + word)
        tags = {
            tag: _values(file, order, kind, length, content)
            for tag, kind, length, content in raw
            if kind in _SMALL
        }
        if not _first(tags, _SUBFILE, 0) & 1:
            _check_deflate(file, tags)
            yield _page(number, tags)


def _page(number: int, tags: Mapping[int, tuple[int, ...]]) -> Page:
    bits = set(tags.get(_BITS, (1,)))
    return Page(
        number=number,
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
    """Give the millimetres between voxels as ITK does: 1 unless a resolution and its unit say."""
    millimetres = _MILLIMETRES.get(_first(tags, _UNIT, 2))
    x, y = tags.get(_X, (0, 0)), tags.get(_Y, (0, 0))
    if millimetres is None or len(x) < 2 or len(y) < 2 or 0 in (*x[:2], *y[:2]):
        return 1.0, 1.0
    return millimetres * x[1] / x[0], millimetres * y[1] / y[0]


def _check_deflate(file: IO[bytes], tags: Mapping[int, tuple[int, ...]]) -> None:
    if _first(tags, _COMPRESSION, 1) not in _DEFLATE:
        return
    places = tags.get(_TILES) or tags.get(_STRIPS, ())
    sizes = tags.get(_TILE_SIZES) or tags.get(_STRIP_SIZES, ())
    for place, size in zip(places, sizes, strict=False):
        if not size:
            continue  # a tile that is left out
        file.seek(place)
        stream = zlib.decompressobj()
        left = file.read(size)
        try:
            while left and not stream.eof:
                stream.decompress(left, _CHUNK)
                left = stream.unconsumed_tail
        except zlib.error as error:
            raise ValueError(f"corrupted: {error}") from error
        if not stream.eof:
            raise ValueError("corrupted or truncated: compressed voxels without an end")


def _unpack_entry(file: IO[bytes], order: str, word: str) -> tuple[int, int, int, bytes]:
    tag, kind, length = _unpack(file, f"{order}HH{word}")
    content = file.read(struct.calcsize(word))
    return tag, kind, length, content


def _values(file: IO[bytes], order: str, kind: int, length: int, content: bytes) -> tuple[int, ...]:
    form = order + _SMALL[kind] * min(length, _MOST_VALUES)
    size = struct.calcsize(form)
    if size > len(content):
        word = "Q" if len(content) == 8 else "I"
        (place,) = struct.unpack(order + word, content)
        if place + size > os.fstat(file.fileno()).st_size:
            raise ValueError("truncated")
        file.seek(place)
        content = file.read(size)
    values: tuple[int, ...] = struct.unpack_from(form, content)
    return values


def _first(tags: Mapping[int, tuple[int, ...]], tag: int, default: int) -> int:
    return next(iter(tags.get(tag, ())), default)


def _unpack(file: IO[bytes], form: str) -> tuple[int, ...]:
    found: tuple[int, ...] = struct.unpack(form, file.read(struct.calcsize(form)))
    return found
