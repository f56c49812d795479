"""One image of a viewer: its voxels as NIfTI, how they are shown at first, and a picture of it."""

from __future__ import annotations

from dataclasses import dataclass

from voxk8s.formats.encode_file import encode_file
from voxk8s.rendering import Kind, describe_picture, draw, kind_of, window
from voxk8s.values import Image

_MASK_COLOURS = ("red", "green", "blue", "violet", "copper", "cyan")
"""NiiVue's names of colour maps, one for each mask in turn."""


@dataclass(frozen=True, slots=True)
class Layer:
    """An image as the page has it.

    `voxels` is a compressed NIfTI file. Values from `low` to `high` have the colours of the map
    `colours`; `opacity` is from 0 to 1. `labels` says that each integer has a colour of its own.
    `picture` is a WebP for browsers that cannot draw layers. Of more than one of `channels`, only
    the colours are shown.
    """

    name: str
    text: str
    voxels: bytes
    colours: str
    low: float
    high: float
    opacity: float
    labels: bool
    picture: bytes
    channels: int = 1


def make_layer(name: str, image: Image, number: int) -> Layer:
    """Make the layer with an index: the lowest one, 0, is opaque.

    Raises KernelError for an image that NIfTI cannot hold, such as one without voxels.
    """
    voxels = encode_file(image, ".nii.gz").data
    kind = kind_of(image)
    low, high = window(image)
    colours, opacity = "gray", 1.0
    if kind is Kind.MASK:
        colours, low, high = _MASK_COLOURS[max(0, number - 1) % len(_MASK_COLOURS)], 0.0, 1.0
    elif number:
        colours = "warm"
    if number:
        opacity = 0.5
    return Layer(
        name=name,
        text=describe_picture(image),
        voxels=voxels,
        colours=colours,
        low=low,
        high=high,
        opacity=opacity,
        labels=kind is Kind.LABELS,
        picture=draw(image) or b"",
        channels=image.channels,
    )
