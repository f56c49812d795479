"""Tests of what ITK itself does not check, and of what becomes of its results and errors."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from tests.support.images import call, image, voxels
from voxk8s.errors import KernelError
from voxk8s.formats.itk import to_itk
from voxk8s.kernels import registry
from voxk8s.kernels.simpleitk import functions
from voxk8s.values import Image, Value

NOISE = image(np.random.default_rng(0).random((6, 7, 8)).astype(np.float32))
LABELS = image((NOISE.array * 3).astype(np.uint8))
SMALL = image(np.zeros((2, 8), np.uint8))
HOLED = image(np.full((6, 7, 8), np.nan, np.float32))


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
    with pytest.raises(KernelError, match="image1 is image 6x7x8 float32, no unsigned integer"):
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


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("CheckerBoard", (SMALL, SMALL, 4), r"checkerPattern \[4, 4\].* the size \[8, 2\]"),
        ("CheckerBoard", (SMALL, SMALL, 0), "checkerPattern"),
        ("SLIC", (SMALL, 3), "superGridSize"),
        ("SLIC", (SMALL, 1e9), "superGridSize"),
        ("SLIC", (NOISE, 3, 1e30), "spatialProximityWeight"),
        ("SLIC", (image(np.full((6, 7, 8), 1e20, np.float32)), 3), "image1"),
        ("OtsuMultipleThresholds", (NOISE, 2, 0, 2), "numberOfHistogramBins"),
        ("GrayscaleConnectedOpening", (SMALL, [2, 2]), r"seed \[2, 2\] is no voxel"),
        ("ConnectedThreshold", (NOISE, [[8, 0, 0]]), "seedList"),
        ("ConnectedThreshold", (NOISE, [[0, 0]]), "seedList"),
        ("OtsuThreshold", (NOISE, 0, 1, 1), "numberOfHistogramBins is the number 1, not within 2"),
        ("OtsuThreshold", (NOISE, 0, 1, 1e9), "numberOfHistogramBins .* 65536"),
        ("Bilateral", (NOISE, 1, 1, 0), "numberOfRangeGaussianSamples"),
        ("HistogramMatching", (NOISE, NOISE, 0), "numberOfHistogramLevels"),
        ("CurvatureAnisotropicDiffusion", (NOISE, 0.06, 3.0, 0, 5), "conductanceScaling"),
        ("IsolatedConnected", (NOISE, [0, 0, 0], [1, 1, 1], 0, float("inf")), "upper"),
        ("MinMaxCurvatureFlow", (NOISE, float("nan")), "timeStep"),
        ("MinMaxCurvatureFlow", (HOLED,), "image1 has voxels that are NaN"),
        ("AdaptiveHistogramEqualization", (HOLED,), "image1 has voxels that are NaN"),
        ("Tile", ([NOISE], [0, 1, 1]), "layout"),
        ("RenyiEntropyThreshold", (SMALL,), "image is 0 everywhere"),
        ("GridSource", ("sitkFloat32", [9, 9], 0.5, 0.0), "gridSpacing is the number 0.0"),
        ("N4BiasFieldCorrection", (NOISE, 0.001, [50], 0.15, 0.01, 0), "numberOfHistogramBins"),
    ],
)
def test_what_crashes_itk_is_refused(name: str, arguments: tuple[Value, ...], words: str) -> None:
    """Arguments that end the process, or that never end, are errors that name the parameter."""
    with pytest.raises(KernelError, match=words):
        call(f"simpleitk.{name}", *arguments)


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("Median", (NOISE, -1), r"radius cannot be \[-1, -1, -1\]: it is of the type unsigned int"),
        ("BinaryThreshold", (NOISE, 0.2, 0.7, 300, 0), "insideValue cannot be 300.*uint8_t"),
        ("Cast", (NOISE, "sitkBall"), "pixelID is the string 'sitkBall', not one of"),
        ("Cast", (NOISE, "sitkLabelUInt8"), "not one of"),
        ("BinaryDilate", (LABELS, 1, "sitkLinear"), "kernelType .* sitkCross"),
        ("And", (NOISE, NOISE), r"simpleitk.And: Pixel type: 32-bit float .* in 3D\.?$"),
        ("Add", (NOISE, image(NOISE.array, (2.0, 1.0, 1.0))), "physical space.*Spacing.*2.0"),
        ("PatchBasedDenoising", (NOISE,), "^[^\n]*Patch is larger[^\n]*smaller patch[^\n]*$"),
        ("LabelVoting", (LABELS, LABELS, -1), "out of range among labelForUndecidedPixels -1"),
        ("Expand", (NOISE, 0), "gives an image without voxels|finite"),
        ("Add", (NOISE, 10**400), "constant is an integer of 1329 bits"),
    ],
)
def test_errors_are_one_line(name: str, arguments: tuple[Value, ...], words: str) -> None:
    """Errors name parameters, and neither files of ITK's source nor symbols and addresses."""
    with pytest.raises(KernelError, match=words) as caught:
        call(f"simpleitk.{name}", *arguments)
    for noise in ("0x", ".hxx", "N3itk", "allocator", "\n"):
        assert noise not in str(caught.value)


def test_complex_voxels_are_left_out() -> None:
    """What takes or gives complex voxels is no kernel: a plan is told before it runs."""
    assert not {name for name in functions() if "Complex" in name or name.endswith("edFFT")}
    assert registry().find("simpleitk.ForwardFFT") is None
    assert registry().find("simpleitk.FFTConvolution") is not None


def test_geometries_may_differ_as_for_other_kernels() -> None:
    """Rounding of a file's header, up to 1e-5, is no other geometry to ITK either."""
    other = image(NOISE.array, (1.000008, 1.0, 1.0), origin=(0.000009, 0.0, 0.0))
    np.testing.assert_array_equal(voxels("simpleitk.Add", NOISE, other), NOISE.array * 2)


def test_noise_does_not_depend_on_threads() -> None:
    """Whatever the process is set to, functions run on one thread."""
    results = set()
    for threads in (1, 8):
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
        results.add(voxels("simpleitk.ShotNoise", NOISE, 1.0, 7).tobytes())
    assert len(results) == 1
