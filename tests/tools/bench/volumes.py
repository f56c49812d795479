"""The deterministic volumes of benchmarks: a bright brain with a lesion, 155x240x240 voxels."""

from __future__ import annotations

import numpy as np

from voxk8s.values import Image

SHAPE = (155, 240, 240)


def volume(case: int) -> tuple[Image, Image]:
    """Return the image (float32, 0 to 1) and the lesion's mask of a case."""
    brain, lesion = bumps(case)
    flair = np.clip(0.4 * brain + 0.9 * lesion, 0, 1).astype(np.float32)
    return as_image(flair), as_image((lesion > 0.5).astype(np.uint8))


def bumps(case: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the densities of the brain and of the lesion of a case, float64."""
    centre = np.array(SHAPE) / 2
    number = (case * 2654435761) % 2**32
    away = ((number % 1000) / 1000 - 0.5) * 155 * 0.3
    lesion = _bump(
        centre + np.array([away, -0.6 * away, 0.3 * away]),
        155 * (0.05 + 0.03 * ((number // 1000) % 7) / 7),
    )
    return _bump(centre, 0.32 * 155), lesion


def as_image(array: np.ndarray) -> Image:
    """Return an image of unit spacing."""
    identity = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    return Image(array, (1.0,) * 3, (0.0,) * 3, identity)


def _bump(centre: np.ndarray, width: float) -> np.ndarray:
    z, y, x = (
        np.arange(side, dtype=np.float64) - middle
        for side, middle in zip(SHAPE, centre, strict=True)
    )
    apart = z[:, None, None] ** 2 + y[None, :, None] ** 2 + x[None, None, :] ** 2
    bump: np.ndarray = np.exp(-apart / (2 * width * width))
    return bump
