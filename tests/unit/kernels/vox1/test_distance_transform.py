"""Tests of the distance transform, compiled and not, against all pairs of voxels."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.support.images import mask_arrays
from voxk8s.kernels.vox1 import distance_transform as transform_module
from voxk8s.kernels.vox1.distance_transform import bounding_box, distance_transform, grow_box
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
    """Draw spacings: equal, or whole numbers of a half or quarter."""
    whole = st.sampled_from((0.25, 0.5, 1.0, 1.5, 3.0, 7.0))
    return st.one_of(equal.map(lambda step: (step,) * rank), st.tuples(*[whole] * rank))


def _squares(target: MaskArray, steps: tuple[float, ...]) -> NDArray[np.float64]:
    """Compare every voxel with every target."""
    places = np.argwhere(np.ones(target.shape)) * np.array(steps)
    nearest = np.full(len(places), np.inf)
    for place in np.argwhere(target) * np.array(steps):
        np.minimum(nearest, np.square(places - place).sum(axis=1), out=nearest)
    return nearest.reshape(target.shape)


def _uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transform_module, "_compiled", None)


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
def test_compiled_or_not_gives_the_same_bits(target: MaskArray, data: st.DataObject) -> None:
    """A result does not tell whether its machine had the compiled transform."""
    spacing = data.draw(_spacings(target.ndim))
    inside = np.zeros_like(target)
    inside[target.shape[0] // 2 :] = 1
    inside -= inside & target
    compiled = distance_transform(target, spacing, inside=inside)
    with pytest.MonkeyPatch.context() as monkeypatch:
        _uncompiled(monkeypatch)
        other = distance_transform(target, spacing, inside=inside)
    np.testing.assert_array_equal(compiled.view(np.uint32), other.view(np.uint32))


@given(target=targets())
def test_masks_in_any_order_of_memory(target: MaskArray) -> None:
    """Views of masks give what their copies give."""
    spacing = (1.0,) * target.ndim
    expected = distance_transform(np.ascontiguousarray(target[::-1].T), spacing)
    np.testing.assert_array_equal(distance_transform(target[::-1].T, spacing), expected)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.5, 1000.0)])
def test_volumes_too_long_for_exact_squares(
    spacing: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where squares of distances are above float32's whole numbers, one way serves all machines."""
    target = np.zeros((3, 5000), np.uint8)
    target[:, 0] = 1
    here = distance_transform(target, spacing)
    _uncompiled(monkeypatch)
    np.testing.assert_array_equal(here, distance_transform(target, spacing))
    assert here[0, -1] == 4999 * spacing[0]


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")
def test_the_transform_is_compiled_here() -> None:
    """With a C compiler at hand the build of the package compiles the transform."""
    assert transform_module._compiled is not None


@given(mask=mask_arrays())
def test_a_bounding_box_is_the_smallest_that_holds_the_mask(mask: MaskArray) -> None:
    """The box begins and ends at the extreme indices of true voxels; an empty mask has none."""
    places = np.argwhere(mask)
    box = bounding_box(mask)
    if not len(places):
        assert box is None
        return
    expected = zip(places.min(axis=0), places.max(axis=0), strict=True)
    assert box == tuple(slice(int(low), int(high) + 1) for low, high in expected)


def test_a_box_grows_within_the_array() -> None:
    """A grown box is clipped to the shape of the array."""
    box = (slice(1, 2), slice(3, 5))
    assert grow_box(box, (2, 1), (4, 9)) == (slice(0, 4), slice(2, 6))
