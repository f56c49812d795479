"""Arguments for the kernels on images, made by their signatures from one noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.support.images import image, mask
from voxk8s.kernels import registry
from voxk8s.plan.signature import Role
from voxk8s.values import Image, Value

_ROLES = (Role.COMPUTE, Role.GEOMETRY)
IMAGE_KERNELS = [
    name
    for name in registry().names()
    if name.partition(".")[0] in ("vox1", "arrays")
    and registry().spec(name).signature.role in _ROLES
]
"""All kernels of our own that take images."""


def noise(*shape: int) -> NDArray[np.float32]:
    """Return noise between 0 and 1, the same each time."""
    return np.random.default_rng(11).random(shape, np.float32)


def kernel_arguments(name: str, voxels: NDArray[np.float32]) -> tuple[Value, ...]:
    """Return arguments of the kinds in the signature, whose arrays cannot be written to."""
    chosen = _special(name, voxels) or _by_signature(name, voxels)
    for value in chosen:
        if isinstance(value, Image):
            value.array.flags.writeable = False
    return chosen


def _special(name: str, voxels: NDArray[np.float32]) -> tuple[Value, ...] | None:
    """Return the arguments of the kernels whose numbers must fit."""
    grey = image(voxels)
    half = [side // 2 for side in reversed(voxels.shape)]
    special: dict[str, tuple[Value, ...]] = {
        "vox1.extract": (grey, [side // 2 for side in half], half),
        "vox1.crossCorrelation": (1.0, grey, grey, mask(voxels > 0.5), 0.0, 1.0, 4),
        "vox1.slic": (grey, 3.0, 5.0),
        "vox1.otsu": (grey, mask(voxels > 0.2), 16.0),
        "vox1.constant": (2.0, grey),
        "vox1.bconstant": (True, grey),
        "arrays.count_pixels": (image(np.floor(16 * voxels)),),  # counts by value, a short list
        "arrays.confusion_matrix": (mask(voxels > 0.4), mask(voxels > 0.6)),
    }
    return special.get(name)


def _by_signature(name: str, voxels: NDArray[np.float32]) -> tuple[Value, ...]:
    signature = registry().spec(name).signature
    levels = (0.3, 0.5, 0.7, 0.9)
    chosen: list[Value] = []
    for position in range(max(signature.minimum, 1)):
        word = signature.parameters[min(position, len(signature.parameters) - 1)]
        if word == "mask":
            chosen.append(mask(levels[position] < voxels))
        elif word == "number":
            chosen.append(0.75)
        elif word == "bool":
            chosen.append(True)
        else:
            chosen.append(image(voxels))
    return tuple(chosen)
