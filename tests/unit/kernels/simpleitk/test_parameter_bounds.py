"""Tests of the bounds beyond which ITK crashes or hangs."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.images import call, image
from voxk8s.errors import KernelError
from voxk8s.values import Value

NOISE = image(np.random.default_rng(0).random((6, 7, 8)).astype(np.float32))

SMALL = image(np.zeros((2, 8), np.uint8))

HOLED = image(np.full((6, 7, 8), np.nan, np.float32))


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("CheckerBoard", (SMALL, SMALL, 4), r"checkerPattern .* the size \[8, 2\], got \[4, 4\]"),
        ("CheckerBoard", (SMALL, SMALL, 0), "checkerPattern"),
        ("SLIC", (SMALL, 3), "superGridSize"),
        ("SLIC", (SMALL, 1e9), "superGridSize"),
        ("SLIC", (NOISE, 3, 1e30), "spatialProximityWeight"),
        ("SLIC", (image(np.full((6, 7, 8), 1e20, np.float32)), 3), "image1"),
        ("OtsuMultipleThresholds", (NOISE, 2, 0, 2), "numberOfHistogramBins"),
        (
            "GrayscaleConnectedOpening",
            (SMALL, [2, 2]),
            r"seed to be a voxel .* got \[2, 2\]",
        ),
        ("ConnectedThreshold", (NOISE, [[8, 0, 0]]), "seedList"),
        ("ConnectedThreshold", (NOISE, [[0, 0]]), "seedList"),
        (
            "OtsuThreshold",
            (NOISE, 0, 1, 1),
            "numberOfHistogramBins to be within 2 .* got the number 1",
        ),
        ("OtsuThreshold", (NOISE, 0, 1, 1e9), "numberOfHistogramBins .* 65536"),
        ("Bilateral", (NOISE, 1, 1, 0), "numberOfRangeGaussianSamples"),
        ("HistogramMatching", (NOISE, NOISE, 0), "numberOfHistogramLevels"),
        ("CurvatureAnisotropicDiffusion", (NOISE, 0.06, 3.0, 0, 5), "conductanceScaling"),
        ("IsolatedConnected", (NOISE, [0, 0, 0], [1, 1, 1], 0, float("inf")), "upper"),
        ("MinMaxCurvatureFlow", (NOISE, float("nan")), "timeStep"),
        ("MinMaxCurvatureFlow", (HOLED,), "voxels of image1 .* or NaN"),
        ("AdaptiveHistogramEqualization", (HOLED,), "voxels of image1 .* or NaN"),
        ("Tile", ([NOISE], [0, 1, 1]), "layout"),
        ("RenyiEntropyThreshold", (SMALL,), "a voxel of image that is not 0"),
        ("GridSource", ("sitkFloat32", [9, 9], 0.5, 0.0), "gridSpacing .* got the number 0.0"),
        ("N4BiasFieldCorrection", (NOISE, 0.001, [50], 0.15, 0.01, 0), "numberOfHistogramBins"),
    ],
)
def test_what_crashes_itk_is_refused(name: str, arguments: tuple[Value, ...], words: str) -> None:
    """Arguments that end the process, or that never end, are errors that name the parameter."""
    with pytest.raises(KernelError, match=words):
        call(f"simpleitk.{name}", *arguments)
