"""Tests of distances against SimpleITK and against all pairs of voxels."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from tests.support.images import call, mask, masks, voxels
from voxk8s.errors import KernelError
from voxk8s.formats.itk import to_itk
from voxk8s.kernels.bit_volume import BitVolume
from voxk8s.values import Image

radii = st.one_of(
    st.sampled_from((-1.0, 0.0, 0.5, 1.0, 1.25, 2.0, 3.0, 100.0, 1e30)), st.floats(0, 12)
)


def _signed(a: Image) -> np.ndarray:
    """Compare every voxel with every voxel of the contour."""
    array = (a.array != 0).astype(np.uint8)
    contour = np.argwhere(BitVolume.pack(array).contour().voxels())
    if not len(contour):
        return np.full(array.shape, -1.8446743e19 if array.any() else 1.8446743e19)
    step = np.array(a.spacing[::-1])
    places = np.argwhere(np.ones(array.shape)) * step
    apart: np.ndarray = np.linalg.norm(places[:, None] - contour[None] * step, axis=2).min(axis=1)
    return np.where(array, -1.0, 1.0) * apart.reshape(array.shape)


@given(a=masks())
def test_dt_is_the_signed_distance_to_the_contour(a: Image) -> None:
    """Distances agree with all pairs of voxels at any spacing, exactly 0 on the contour."""
    result = voxels("vox1.dt", a)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, _signed(a), rtol=1e-5, atol=1e-5)
    contour = BitVolume.pack(a.array).contour().voxels()
    assert (result[contour != 0] == 0).all()
    np.testing.assert_array_equal(voxels("vox1.pdt", a), np.maximum(result, 0))


def test_a_line() -> None:
    """The reference's line has the reference's distances."""
    expected = [3, 2, 1, 0, -1, 0, 1, 2, 3]
    assert voxels("vox1.dt", mask([[0, 0, 0, 1, 1, 1, 0, 0, 0]])).tolist() == [expected]


@given(a=masks())
def test_dt_agrees_with_itk(a: Image) -> None:
    """At equal spacing distances agree with ITK's SignedMaurerDistanceMap."""
    if min(a.array.shape) < 3:
        return  # ITK takes neighbours across the border of thin images
    a = mask(a.array)
    if not 0 < np.count_nonzero(a.array) < a.array.size:
        return
    expected = sitk.SignedMaurerDistanceMap(
        to_itk(a), insideIsPositive=False, squaredDistance=False, useImageSpacing=True
    )
    np.testing.assert_allclose(
        voxels("vox1.dt", a), sitk.GetArrayFromImage(expected), rtol=1e-5, atol=1e-5
    )


def test_empty_and_full_masks_are_infinitely_far() -> None:
    """Without a contour the distance is the largest that ITK gives."""
    far = np.float32(1.8446743e19)
    assert (voxels("vox1.dt", mask(np.zeros((2, 3)))) == far).all()
    assert (voxels("vox1.dt", mask(np.ones((2, 3)))) == -far).all()
    assert (voxels("vox1.pdt", mask(np.ones((2, 3)))) == 0).all()


@given(a=masks(), r=radii)
def test_comparisons_with_a_radius(a: Image, r: float) -> None:
    """Distleq and distgeq are pdt compared with r, whatever part of the image is looked at."""
    distance = voxels("vox1.pdt", a)
    leq, geq = voxels("vox1.distleq", r, a), voxels("vox1.distgeq", r, a)
    np.testing.assert_array_equal(leq, distance <= np.float32(r))
    np.testing.assert_array_equal(geq, distance >= np.float32(r))
    assert leq.dtype == geq.dtype == np.uint8


@given(a=masks(), r=radii)
def test_smoothen_and_morphology_follow_their_formulas(a: Image, r: float) -> None:
    """Everything derived from distances is what its formula gives by the basic kernels."""

    def negated(x: Image) -> Image:
        return Image(1 - (x.array != 0).astype(np.uint8), x.spacing, x.origin, x.direction)

    def leq(x: Image) -> Image:
        result = voxels("vox1.pdt", x) <= np.float32(r)
        return Image(result.astype(np.uint8), x.spacing, x.origin, x.direction)

    def geq(x: Image) -> Image:
        result = voxels("vox1.pdt", x) >= np.float32(r)
        return Image(result.astype(np.uint8), x.spacing, x.origin, x.direction)

    def eroded(x: Image) -> Image:
        return negated(leq(negated(x)))

    expected = {
        "smoothen": leq(geq(negated(a))),
        "erode": eroded(a),
        "dilate": leq(a),
        "imopen": leq(eroded(a)),
        "imclose": eroded(leq(a)),
    }
    for name, value in expected.items():
        np.testing.assert_array_equal(voxels(f"vox1.{name}", a, r), value.array, err_msg=name)


def test_smoothen_is_not_the_opening() -> None:
    """What is exactly as thick as the radius survives smoothing and not opening."""
    stripe = np.zeros((1, 9))
    stripe[0, 3:6] = 1
    assert voxels("vox1.smoothen", mask(stripe), 2.0).sum() == 5
    assert voxels("vox1.imopen", mask(stripe), 2.0).sum() == 0


def test_a_radius_must_be_a_number() -> None:
    """NaN and strings are refused by name."""
    with pytest.raises(KernelError, match="distleq: expected a radius in mm, got NaN"):
        call("vox1.distleq", float("nan"), mask([[1]]))
    with pytest.raises(KernelError, match="smoothen: expected a number, got"):
        call("vox1.smoothen", mask([[1]]), "3")


@given(
    where=st.lists(st.tuples(*[st.integers(0, side - 1) for side in (21, 4, 5)]), min_size=1),
    step=st.sampled_from((1.0, 0.9375, 1.1)),
)
def test_a_small_mask_in_a_deep_image(where: list[tuple[int, int, int]], step: float) -> None:
    """What lies in few planes has the distances that the volume along another axis gives."""
    array = np.zeros((21, 4, 5), np.uint8)
    for place in where[:6]:
        array[place] = 1
    upright = voxels("vox1.dt", mask(array, (step,) * 3))
    lying = voxels("vox1.dt", mask(np.ascontiguousarray(array.transpose(2, 1, 0)), (step,) * 3))
    np.testing.assert_array_equal(upright, lying.transpose(2, 1, 0))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("step", [1e-308, 5e-324, 1e-300, 1e300])
def test_steps_of_any_size_have_distances(step: float) -> None:
    """A radius that is no number of steps reaches everything, and a tiny one nothing."""
    a = mask([[0, 0, 1], [0, 0, 0]], (step, step))
    assert voxels("vox1.dilate", a, 1e18).sum() == (6 if step < 1 else 1)
    assert voxels("vox1.erode", a, 1e18).sum() == (0 if step < 1 else 1)
    distances = voxels("vox1.dt", a)
    assert not np.isnan(distances).any()
    assert distances[0, 2] == 0
