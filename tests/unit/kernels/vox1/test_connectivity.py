"""Tests of components and reachability against scipy and a flood fill."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from scipy import ndimage

from tests.support.images import (
    call,
    image,
    mask,
    mask_pairs,
    masks,
    voxels,
)
from voxk8s.errors import KernelError
from voxk8s.values import Image


def _components(array: np.ndarray) -> list[np.ndarray]:
    labels, count = ndimage.label(array, structure=np.ones((3,) * array.ndim, bool))
    return [labels == number for number in range(1, count + 1)]


def _near(array: np.ndarray) -> np.ndarray:
    return ndimage.binary_dilation(array, structure=np.ones((3,) * array.ndim, bool))


def _through(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    result = np.zeros(b.shape, bool)
    for component in _components(b):
        if (component & (a != 0)).any():
            result |= component
    return result


@given(pair=mask_pairs())
def test_through(pair: tuple[Image, Image]) -> None:
    """Through keeps the components of b that contain a voxel of a."""
    a, b = pair
    np.testing.assert_array_equal(voxels("vox1.through", a, b), _through(a.array, b.array))


@given(pair=mask_pairs())
def test_touch_and_grow(pair: tuple[Image, Image]) -> None:
    """Touch keeps the components of a at b; grow adds the components of b at a to a."""
    a, b = pair
    np.testing.assert_array_equal(voxels("vox1.touch", a, b), _through(_near(b.array), a.array))
    np.testing.assert_array_equal(
        voxels("vox1.grow", a, b), (a.array != 0) | _through(_near(a.array), b.array)
    )


@given(pair=mask_pairs())
def test_reaching_and_surrounding(pair: tuple[Image, Image]) -> None:
    """MayReach and surrounded follow their definitions."""
    a, b = pair
    first, second = a.array != 0, b.array != 0

    def may_reach(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        reached: np.ndarray = _near(_through(_near(x), y) | x)
        return reached

    np.testing.assert_array_equal(voxels("vox1.mayReach", a, b), may_reach(first, second))
    np.testing.assert_array_equal(
        voxels("vox1.surrounded", a, b),
        first & ~may_reach(~(first | second), ~second),
    )


def test_a_ring_surrounds_its_middle() -> None:
    """A voxel inside a closed ring is surrounded, inside an open one it is not."""
    ring = np.zeros((5, 5))
    ring[1:4, 1:4] = 1
    ring[2, 2] = 0
    middle = np.zeros((5, 5))
    middle[2, 2] = 1
    assert voxels("vox1.surrounded", mask(middle), mask(ring)).sum() == 1
    ring[2, 3] = 0
    assert voxels("vox1.surrounded", mask(middle), mask(ring)).sum() == 0


@given(a=masks())
def test_maxvol_keeps_the_largest(a: Image) -> None:
    """Maxvol keeps every component of the largest size, and nothing of an empty mask."""
    expected = np.zeros(a.array.shape, bool)
    found = _components(a.array)
    most = max((component.sum() for component in found), default=0)
    for component in found:
        if component.sum() == most:
            expected |= component
    np.testing.assert_array_equal(voxels("vox1.maxvol", a), expected)


@given(a=masks())
def test_labels_follow_the_first_voxels(a: Image) -> None:
    """Lcc numbers components 1 to n in the order of their first voxels, and nothing else."""
    result = voxels("vox1.lcc", a)
    assert result.dtype == np.float32
    expected = np.zeros(a.array.shape, np.float32)
    number = 0
    for index in np.ndindex(a.array.shape):
        if a.array[index] and not expected[index]:
            number += 1
            seed = np.zeros(a.array.shape, bool)
            seed[index] = True
            expected[_through(seed, a.array)] = number
    np.testing.assert_array_equal(result, expected)


def test_labels_of_a_large_random_mask_are_in_order() -> None:
    """The order of labels also holds for thousands of components that merge late."""
    array = (np.random.default_rng(3).random((40, 50, 60)) < 0.07).astype(np.uint8)
    labels = voxels("vox1.lcc", mask(array)).ravel()
    values, first = np.unique(labels, return_index=True)
    order = first[values > 0]
    assert (np.diff(order) > 0).all()
    assert values.max() == len(_components(array))


def test_corners_connect() -> None:
    """Voxels that share a corner only are one component, in 2-D and in 3-D."""
    assert voxels("vox1.lcc", mask([[1, 0], [0, 1]])).max() == 1
    cube = np.zeros((2, 2, 2))
    cube[0, 0, 0] = cube[1, 1, 1] = 1
    assert voxels("vox1.lcc", mask(cube)).max() == 1


@pytest.mark.parametrize("name", ["through", "touch", "grow", "mayReach", "surrounded"])
def test_different_geometry_is_an_error_that_names_both(name: str) -> None:
    """Masks of different size are never combined."""
    with pytest.raises(KernelError, match=rf"{name}: .*image 2x2 uint8.*image 2x3 uint8"):
        call(f"vox1.{name}", mask(np.zeros((2, 2))), mask(np.zeros((2, 3))))


@pytest.mark.parametrize("name", ["lcc", "maxvol", "fillholes"])
def test_truth_values_that_cannot_be_written_to(name: str) -> None:
    """A mask of truth values from the store is labelled as one of 0 and 1 is."""
    array = np.random.default_rng(0).random((4, 5, 6)) < 0.4
    expected = voxels(f"vox1.{name}", mask(array))
    array.flags.writeable = False
    np.testing.assert_array_equal(voxels(f"vox1.{name}", image(array)), expected)


@given(a=masks())
def test_holes_are_filled(a: Image) -> None:
    """Filling holes agrees with scipy's binary_fill_holes."""
    np.testing.assert_array_equal(
        voxels("vox1.fillholes", a), ndimage.binary_fill_holes(a.array.astype(bool))
    )
