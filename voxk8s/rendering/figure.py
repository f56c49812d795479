"""One picture of an image: three planes through what there is to see, or a flat image as it is."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final

import numpy as np

from voxk8s.rendering import tones
from voxk8s.rendering.planes import FLAT, Plane, Section, cut, extent, main_plane
from voxk8s.rendering.radiological import to_radiological
from voxk8s.rendering.tones import Kind, Pixels
from voxk8s.values import Array, Image

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw

SIDE: Final = 240
"""Pixels of the longest side of a plane."""
MEDIA_TYPE: Final = "image/webp"
_QUALITY: Final = 88
_MOST_CHANNELS: Final = 4
_FILL: Final = 0.3
"""Opacity of a mask over a scan."""
_OUTLINE: Final = (255, 96, 48)
_INK: Final = (255, 255, 255)
_GAP: Final = 6
"""Pixels between planes."""
_SCALES: Final = (500, 200, 100, 50, 20, 10, 5, 2, 1)
"""Lengths in mm that a scale may have."""


@dataclass(frozen=True, slots=True)
class _Layers:
    """An image in radiological order, and the scan below it, if there is one."""

    image: Image
    kind: Kind
    scan: Image | None
    black: float
    white: float


def draw(image: Image, scan: Image | None = None, side: int = SIDE) -> bytes | None:
    """Draw an image as WebP: a volume in three planes by the radiological convention.

    The planes go through the middle of a volume; those of a mask or of labels through the slices
    that have most of them. Masks and labels lie over `scan` if it has the same geometry. Edges
    have the letters of the sides of the body, the first plane has a scale in mm. The longest side
    of a plane has `side` pixels, or fewer for a small image. Returns None for an image without
    voxels or with more than 4 channels.
    """
    if image.channels > _MOST_CHANNELS or not image.array.size:
        return None
    if scan is not None and not (is_overlay(image) and same_geometry(image, scan)):
        scan = None
    kind = tones.kind_of(image)
    volume = image.dimension != FLAT
    if volume:
        image = to_radiological(image)
        scan = to_radiological(scan) if scan is not None else None
    black, white = tones.window(scan or image)
    layers = _Layers(image, kind, scan, black, white)
    planes = list(Plane) if volume and min(image.size) > 1 else [main_plane(image)]
    longest = max(max(extent(image, plane)) for plane in planes)
    finest = min(each for plane in planes for each in cut(image, plane, 0).spacing)
    # Small images are not enlarged beyond need: four pixels a voxel show it well.
    scale = min(side / longest, (4 if volume else 1) / finest)
    panels = [_panel(layers, plane, scale, first=not number) for number, plane in enumerate(planes)]
    return _encoded(panels)


def describe_picture(image: Image) -> str:
    """Return in words what a picture shows: what the voxels are, their number and their size."""
    kind = tones.kind_of(image)
    names = {
        Kind.MASK: "mask", Kind.LABELS: "labels", Kind.INTENSITIES: "image",
        Kind.COLOURS: f"image of {image.channels} channels",
    }  # fmt: skip
    count = " × ".join(map(str, image.size))
    spacing = " × ".join(f"{step:.3g}" for step in image.spacing)
    parts = [f"{names[kind]} of {count} voxels of {spacing} mm"]
    if kind is Kind.MASK:
        found = int(np.count_nonzero(image.array))
        parts.append(f"{found:,} voxels in it")
        if image.dimension != FLAT:
            parts[-1] += f" ({found * float(np.prod(image.spacing)) / 1000:,.4g} ml)"
    elif kind is Kind.LABELS:
        labels = int(np.count_nonzero(np.unique(image.array)))
        parts.append("1 label" if labels == 1 else f"{labels} labels")
    else:
        low, high = (float(each) for each in (image.array.min(), image.array.max()))
        parts.append(f"values from {low:.6g} to {high:.6g}")
    return "; ".join(parts)


def is_overlay(image: Image) -> bool:
    """Whether an image is drawn over a scan, as masks and labels are; others would hide it."""
    return tones.kind_of(image) in (Kind.MASK, Kind.LABELS)


def same_geometry(one: Image, other: Image) -> bool:
    """Whether two images have the same grid of voxels, up to rounding in a file."""
    if one.size != other.size:
        return False
    close = np.allclose(one.direction, other.direction, atol=1e-4)
    near = np.allclose(one.origin, other.origin, atol=1e-2 * min(map(abs, one.spacing)))
    return bool(close and near and np.allclose(one.spacing, other.spacing, rtol=1e-4))


def _index(layers: _Layers, plane: Plane) -> int:
    """Return the slice that shows most."""
    array = layers.image.array
    if layers.image.dimension == FLAT:
        return 0
    if layers.kind in (Kind.MASK, Kind.LABELS):
        others = tuple(axis for axis in range(3) if axis != plane.axis)
        counts = np.count_nonzero(array, axis=others)
        if counts.any():
            return int(np.argmax(counts))
    return int(array.shape[plane.axis]) // 2


def _panel(layers: _Layers, plane: Plane, scale: float, *, first: bool) -> Picture:
    """Draw one plane; `scale` is in pixels per mm."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    index = _index(layers, plane)
    section = cut(layers.image, plane, index)
    shape = tuple(max(1, round(each * scale)) for each in extent(layers.image, plane))
    size = (shape[0], shape[1])
    if layers.scan is None:
        picture = _own_picture(layers, section, size)
    else:
        below = tones.grey(cut(layers.scan, plane, index).pixels, layers.black, layers.white)
        picture = Pillow.fromarray(below).resize(size, Pillow.Resampling.BICUBIC).convert("RGB")
        picture = _covered(picture, _resized(section.pixels, size))
    pen = ImageDraw.Draw(picture)
    _letters(pen, picture.size, section.edges)
    if first and layers.image.dimension != FLAT:
        _scale(pen, picture.size, scale)
    return picture


def _own_picture(layers: _Layers, section: Section, size: tuple[int, int]) -> Picture:
    """Draw a slice of an image that lies over nothing."""
    from PIL import Image as Pillow

    match layers.kind:
        case Kind.MASK:
            pixels, smooth = (section.pixels != 0).astype(np.uint8) * np.uint8(255), False
        case Kind.LABELS:
            pixels, smooth = tones.label_colours(section.pixels), False
        case Kind.COLOURS if section.pixels.dtype == np.uint8:
            pixels, smooth = np.ascontiguousarray(section.pixels, np.uint8), True
        case _:
            pixels, smooth = tones.grey(section.pixels, layers.black, layers.white), True
    method = Pillow.Resampling.LANCZOS if smooth else Pillow.Resampling.NEAREST
    # NEAREST would lose thin structures where the picture is smaller than the slice.
    if not smooth and size[0] < pixels.shape[1]:
        method = Pillow.Resampling.BOX
    return Pillow.fromarray(pixels).resize(size, method).convert("RGB")


def _resized(labels: Array, size: tuple[int, int]) -> Array:
    """Return labels at another size: the nearest pixel's."""
    rows = (np.arange(size[1]) + 0.5) * labels.shape[0] / size[1]
    columns = (np.arange(size[0]) + 0.5) * labels.shape[1] / size[0]
    found: Array = labels[rows.astype(int)[:, None], columns.astype(int)[None, :]]
    return found


def _covered(picture: Picture, labels: Array) -> Picture:
    """Draw masks or labels over a scan: a light fill and an outline."""
    from PIL import Image as Pillow

    inside = labels != 0
    if labels.dtype == np.uint8 and labels.size and labels.max() <= 1:
        colours: Pixels = np.broadcast_to(np.array(_OUTLINE, np.uint8), (*labels.shape, 3))
    else:
        colours = tones.label_colours(labels)
    pixels = np.asarray(picture, np.float64)
    opacity = np.where(_border(labels), 1.0, _FILL) * inside
    mixed = pixels * (1 - opacity[..., None]) + colours * opacity[..., None]
    return Pillow.fromarray(np.rint(mixed).astype(np.uint8))


def _border(labels: Array) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Return where a pixel has a neighbour of another label."""
    padded = np.pad(labels, 1, mode="edge")
    middle = padded[1:-1, 1:-1]
    border = np.zeros(labels.shape, np.bool_)
    for other in (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]):
        border |= middle != other
    return border


def _letters(pen: ImageDraw, size: tuple[int, int], edges: tuple[str, str, str, str]) -> None:
    wide, high = size
    left, right, top, bottom = edges
    places = [
        (left, (3, high / 2), "lm"),
        (right, (wide - 3, high / 2), "rm"),
        (top, (wide / 2, 2), "mt"),
        (bottom, (wide / 2, high - 2), "mb"),
    ]
    for letter, place, anchor in places:
        if letter:
            _write(pen, place, letter, anchor)


def _scale(pen: ImageDraw, size: tuple[int, int], scale: float) -> None:
    """Draw a line of a round length in mm, at most a third as wide as the picture."""
    wide, high = size
    length = next((mm for mm in _SCALES if mm * scale <= wide / 3), None)
    if length is None:
        return
    end, line = wide - 4, high - 5
    begin = end - length * scale
    pen.line([(begin, line), (end, line)], fill=_INK, width=2)
    _write(pen, ((begin + end) / 2, line - 3), f"{length} mm", "mb")


def _write(pen: ImageDraw, place: tuple[float, float], text: str, anchor: str) -> None:
    from PIL import ImageFont

    font = ImageFont.load_default(size=11)
    pen.text(
        place, text, fill=_INK, anchor=anchor, font=font, stroke_width=1, stroke_fill=(0, 0, 0)
    )


def _encoded(panels: list[Picture]) -> bytes:
    from PIL import Image as Pillow

    wide = sum(panel.width for panel in panels) + _GAP * (len(panels) - 1)
    canvas = Pillow.new("RGB", (wide, max(panel.height for panel in panels)))
    left = 0
    for panel in panels:
        canvas.paste(panel, (left, (canvas.height - panel.height) // 2))
        left += panel.width + _GAP
    data = BytesIO()
    canvas.save(data, "WEBP", quality=_QUALITY, method=4)
    return data.getvalue()
