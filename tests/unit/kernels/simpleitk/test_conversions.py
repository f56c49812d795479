"""Tests of the conversion of values to arguments of SimpleITK."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from tests.support.images import call, image, voxels
from voxk8s.errors import KernelError
from voxk8s.formats.itk import to_itk
from voxk8s.kernels import registry
from voxk8s.values import Image, Value

NOISE = image(np.random.default_rng(0).random((6, 7, 8)).astype(np.float32))

LABELS = image((NOISE.array * 3).astype(np.uint8))


def test_label_maps_are_images_of_labels() -> None:
    """What gives a label map gives its labels, what takes one takes them."""
    found = call("simpleitk.BinaryImageToLabelMap", LABELS, True, 1.0)
    assert isinstance(found, Image)
    np.testing.assert_array_equal(found.array != 0, LABELS.array == 1)
    changed = voxels("simpleitk.ChangeLabelLabelMap", LABELS, [[1, 7]])
    np.testing.assert_array_equal(changed, np.where(LABELS.array == 1, 7, LABELS.array))
    masked = voxels("simpleitk.LabelMapMask", LABELS, NOISE, 2)
    np.testing.assert_array_equal(masked, np.where(LABELS.array == 2, NOISE.array, 0))
    merged = voxels("simpleitk.MergeLabelMap", [LABELS, LABELS], "Keep")
    np.testing.assert_array_equal(merged != 0, LABELS.array != 0)
    with pytest.raises(KernelError, match="expected unsigned integer labels for image1, got image"):
        call("simpleitk.LabelMapToLabel", NOISE)


def test_points_pairs_and_choices() -> None:
    """Points are sequences of indices, maps sequences of pairs, choices have names."""
    grown = voxels(
        "simpleitk.ConnectedThreshold", NOISE, [[1, 2.0, 3]], 0.0, 1.0, 9, "FullConnectivity"
    )
    assert (grown == 9).all()
    expected = sitk.ChangeLabel(to_itk(LABELS), {1: 5, 2: 6})
    np.testing.assert_array_equal(
        voxels("simpleitk.ChangeLabel", LABELS, [[1, 5], [2, 6]]), sitk.GetArrayFromImage(expected)
    )
    assert call("simpleitk.Hash", LABELS, "MD5") == sitk.Hash(to_itk(LABELS), 1)
    np.testing.assert_array_equal(
        voxels("simpleitk.Slice", NOISE, [1, 0, 0], [7, 7, 6], [2, 1, 1]), NOISE.array[:, :, 1:7:2]
    )


SPACED = image(np.random.default_rng(0).random((6, 7, 8)).astype(np.float32), (0.5, 1.0, 2.0))


def test_two_dimensions_take_two_numbers() -> None:
    """A number stands for a vector as long as the image has axes."""
    flat = image(np.random.default_rng(1).random((9, 9)).astype(np.float32))
    assert voxels("simpleitk.Median", flat, 1).shape == (9, 9)


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        (
            "Median",
            ("a",),
            r"Median: expected \(image1: image, radius: integers\?\); got the string 'a' for im",
        ),
        ("Median", (SPACED, 1.5), "got the number 1.5 for radius"),
        ("Cast", (SPACED, "sitkNothing"), "expected pixelID to be one of sitkUInt8"),
        ("Cast", (SPACED, "ReadImage"), "expected pixelID to be one of sitkUInt8"),
        ("AdditiveGaussianNoise", (SPACED, 1.0, 0.0, 0), "clock"),
        ("JoinSeries", (SPACED, SPACED), "4-D"),
        ("Add", (SPACED, image(np.zeros((2, 2, 2)))), "simpleitk.Add"),
    ],
)
def test_errors_say_what_is_wanted(name: str, arguments: tuple[Value, ...], words: str) -> None:
    """A wrong argument names the parameter, an ITK error its last line."""
    with pytest.raises(KernelError, match=words):
        call(f"simpleitk.{name}", *arguments)


def test_random_functions_need_their_seed() -> None:
    """Without a seed the result would depend on the clock: the arity says so."""
    found = registry().find("simpleitk.AdditiveGaussianNoise", ())
    assert found is not None
    assert found.minimum == 4
    first = voxels("simpleitk.AdditiveGaussianNoise", SPACED, 1.0, 0.0, 7)
    np.testing.assert_array_equal(
        first, voxels("simpleitk.AdditiveGaussianNoise", SPACED, 1.0, 0.0, 7)
    )


@pytest.mark.parametrize("shape", [(0, 0), (0, 6, 7)])
def test_images_without_voxels_never_reach_itk(shape: tuple[int, ...]) -> None:
    """It would read their first voxel, and crash."""
    empty = image(np.zeros(shape, np.uint8))
    for name in ("ApproximateSignedDistanceMap", "AdaptiveHistogramEqualization", "LabelMapMask"):
        with pytest.raises(KernelError, match=f"simpleitk.{name}: expected"):
            call(f"simpleitk.{name}", empty, *[empty][: name == "LabelMapMask"])


def test_geometries_that_itk_refuses_are_one_message() -> None:
    """Volumes below the smallest number."""
    with pytest.raises(KernelError, match=r"Add: .*expected image1 to have a geometry that ITK"):
        call("simpleitk.Add", image(NOISE.array, (1e-300,) * 3), 1.0)


def test_a_radius_is_no_longer_than_the_image() -> None:
    """ITK makes a list of all voxels of the ball, and crashes or never ends."""
    for name in ("BinaryClosingByReconstruction", "BinaryMorphologicalOpening"):
        with pytest.raises(KernelError, match="at most the longest side of the image, 8 voxels"):
            call(f"simpleitk.{name}", LABELS, 2**31)
    assert voxels("simpleitk.BinaryDilate", LABELS, 8).shape == LABELS.array.shape
