"""Tests of the distance transform against all pairs of voxels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from voxk8s.kernels.vox1.distance_transform import distance_transform
from voxk8s.values import MaskArray

sides = st.integers(1, 20)
shapes = st.one_of(st.tuples(sides, sides), st.tuples(sides, sides, st.integers(1, 40)))
equal = st.sampled_from((1.0, 0.7, 2.5))


@st.composite
def targets(draw: st.DrawFn) -> MaskArray:
    """Draw masks with at least one true voxel: from a single one to nearly all."""
    shape = draw(shapes)
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share = draw(st.sampled_from((0.0, 0.003, 0.03, 0.3, 0.9)))
    target = (random.random(shape) < share).astype(np.uint8)
    target[tuple(random.integers(0, side) for side in shape)] = 1
    return target


def _spacings(rank: int) -> st.SearchStrategy[tuple[float, ...]]:
    """Draw spacings: equal, whole numbers of a half or quarter, and others."""
    whole = st.sampled_from((0.25, 0.5, 1.0, 1.5, 3.0, 7.0))
    return st.one_of(
        equal.map(lambda step: (step,) * rank),
        st.tuples(*[whole] * rank),
        st.tuples(*[st.floats(0.1, 9)] * rank),
    )


def _squares(target: MaskArray, steps: tuple[float, ...]) -> NDArray[np.float64]:
    """Compare every voxel with every target."""
    places = np.argwhere(np.ones(target.shape)) * np.array(steps)
    nearest = np.full(len(places), np.inf)
    for place in np.argwhere(target) * np.array(steps):
        np.minimum(nearest, np.square(places - place).sum(axis=1), out=nearest)
    return nearest.reshape(target.shape)


@given(target=targets(), unit=equal)
def test_distances_at_equal_spacing_are_exact(target: MaskArray, unit: float) -> None:
    """Each distance is the root of the least sum of squares, in float32, times the spacing."""
    squares = _squares(target, (1.0,) * target.ndim)
    expected = np.sqrt(squares.astype(np.float32)) * np.float32(unit)
    np.testing.assert_array_equal(distance_transform(target, (unit,) * target.ndim), expected)


@given(target=targets(), data=st.data())
def test_distances_at_spacings_of_one_grid_are_exact(
    target: MaskArray, data: st.DataObject
) -> None:
    """Each distance is the root in float32 of the least sum of squares of mm."""
    whole = st.sampled_from((0.25, 1.0, 1.5, 3.0))
    steps = data.draw(st.tuples(*[whole] * target.ndim).filter(lambda steps: len(set(steps)) > 1))
    expected = np.sqrt(_squares(target, steps).astype(np.float32))
    np.testing.assert_array_equal(distance_transform(target, tuple(reversed(steps))), expected)


@given(target=targets(), data=st.data())
def test_distances_at_any_spacing_are_those_of_float64(
    target: MaskArray, data: st.DataObject
) -> None:
    """Off the grid a distance is the root in float64 of the least sum of squares, rounded once."""
    sides = st.tuples(*[st.floats(0.01, 50)] * target.ndim)
    steps = data.draw(sides.filter(lambda steps: len(set(steps)) > 1))
    expected = np.sqrt(_squares(target, steps)).astype(np.float32)
    found = distance_transform(target, tuple(reversed(steps)))
    np.testing.assert_array_max_ulp(found, expected, maxulp=1)


@given(target=targets(), data=st.data())
def test_distances_are_negative_inside(target: MaskArray, data: st.DataObject) -> None:
    """The sign tells on which side a voxel is, at any spacing."""
    spacing = data.draw(_spacings(target.ndim))
    inside = np.zeros_like(target)
    inside[target.shape[0] // 2 :] = 1
    inside -= inside & target
    distance = distance_transform(target, spacing)
    signed = distance_transform(target, spacing, inside=inside)
    np.testing.assert_array_equal(signed, np.where(inside, -distance, distance))


@given(target=targets())
def test_masks_in_any_order_of_memory(target: MaskArray) -> None:
    """Views of masks give what their copies give."""
    spacing = (1.0,) * target.ndim
    expected = distance_transform(np.ascontiguousarray(target[::-1].T), spacing)
    np.testing.assert_array_equal(distance_transform(target[::-1].T, spacing), expected)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.5, 1000.0)])
def test_volumes_too_long_for_exact_squares(spacing: tuple[float, ...]) -> None:
    """Where squares of distances are above float32's whole numbers, float64 serves."""
    target = np.zeros((3, 5000), np.uint8)
    target[:, 0] = 1
    assert distance_transform(target, spacing)[0, -1] == 4999 * spacing[0]
