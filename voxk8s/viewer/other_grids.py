"""Says of images that are shown as layers how their grids of voxels differ."""

from __future__ import annotations

from collections.abc import Sequence

from voxk8s.rendering import same_geometry
from voxk8s.values import Image


def other_grids(first: tuple[str, Image], others: Sequence[tuple[str, Image]]) -> list[str]:
    """Return a sentence for each image, with its name, whose grid is not that of the first."""
    name, image = first
    return [
        f"{other} has another grid than {name}: {_differences(image, each)}. It is drawn at"
        " its place in mm; a program that combines the two has to resample one of them."
        for other, each in others
        if not same_geometry(image, each)
    ]


def _differences(one: Image, other: Image) -> str:
    members = ("size", "spacing", "origin", "direction")
    pairs = [(each, getattr(one, each), getattr(other, each)) for each in members]
    return ", ".join(
        f"{each} {_numbers(first)} and {_numbers(second)}"
        for each, first, second in pairs
        if _numbers(first) != _numbers(second)
    )


def _numbers(values: Sequence[float]) -> str:
    return "(" + ", ".join(f"{each:.6g}" for each in values) + ")"
