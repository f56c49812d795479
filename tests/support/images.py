"""Small images for tests of kernels: hypothesis strategies and builders."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import ArrayLike

from voxk8s.kernels import registry
from voxk8s.kernels.bit_volume import BitVolume
from voxk8s.kernels.images import mask_like
from voxk8s.values import Image, Value

SPACINGS = (0.5, 1.0, 1.25, 3.0)


def image(
    array: ArrayLike,
    spacing: tuple[float, ...] | None = None,
    channels: int = 1,
    origin: tuple[float, ...] | None = None,
) -> Image:
    """Return an image of an array with the identity direction."""
    voxels = np.asarray(array)
    rank = voxels.ndim - (channels != 1)
    identity = tuple(float(i == j) for i in range(rank) for j in range(rank))
    return Image(voxels, spacing or (1.0,) * rank, origin or (0.0,) * rank, identity, channels)


def mask(array: ArrayLike, spacing: tuple[float, ...] | None = None) -> Image:
    """Return a mask of an array of 0 and 1."""
    return image(np.asarray(array, np.uint8), spacing)


def with_known_bits(value: Value) -> Value:
    """Return a mask as a kernel returns it that has its bits; other values as they are."""
    if not isinstance(value, Image) or value.channels != 1:
        return value
    return mask_like(value, BitVolume.pack(value.array))


def call(name: str, *arguments: object) -> Value:
    """Call a kernel by its qualified name."""
    return registry().function(name)(*arguments)


def voxels(name: str, *arguments: object) -> np.ndarray:
    """Call a kernel that returns an image; return its voxels."""
    result = call(name, *arguments)
    assert isinstance(result, Image)
    return result.array


shapes = hnp.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=9)


@st.composite
def mask_arrays(draw: st.DrawFn, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Draw arrays of 0 and 1: noise of any density, boxes, empty, full, a single voxel."""
    size = draw(shapes) if shape is None else shape
    kind = draw(st.sampled_from(("noise", "noise", "boxes", "empty", "full", "single")))
    array = np.zeros(size, np.uint8)
    if kind == "noise":
        random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        array = (random.random(size) < draw(st.floats(0.02, 0.98))).astype(np.uint8)
    elif kind == "full":
        array[...] = 1
    elif kind == "single":
        array[tuple(draw(st.integers(0, side - 1)) for side in size)] = 1
    elif kind == "boxes":
        for _ in range(draw(st.integers(1, 3))):
            corners = [sorted(draw(st.tuples(*[st.integers(0, side)] * 2))) for side in size]
            array[tuple(slice(*corner) for corner in corners)] = 1
    return array


def spacings(rank: int) -> st.SearchStrategy[tuple[float, ...]]:
    """Draw spacings, most of them anisotropic."""
    return st.tuples(*[st.sampled_from(SPACINGS)] * rank)


@st.composite
def masks(draw: st.DrawFn) -> Image:
    """Draw masks of any shape and spacing."""
    array = draw(mask_arrays())
    return mask(array, draw(spacings(array.ndim)))


@st.composite
def mask_pairs(draw: st.DrawFn) -> tuple[Image, Image]:
    """Draw two masks of one geometry."""
    first = draw(masks())
    return first, mask(draw(mask_arrays(first.array.shape)), first.spacing)


@st.composite
def scalar_images(draw: st.DrawFn, shape: tuple[int, ...] | None = None) -> Image:
    """Draw float32 images with many equal values, of both signs and zeros."""
    size = draw(shapes) if shape is None else shape
    array = draw(
        hnp.arrays(
            np.float32,
            size,
            elements=st.sampled_from((-7.5, -1.0, -0.0, 0.0, 0.25, 1.0, 1.5, 300.0, 1e30)),
        )
    )
    return image(array, draw(spacings(len(size))))
