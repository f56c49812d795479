"""Bounds of parameters that ITK does not check itself, and beyond which it crashes or hangs.

Found by calling every function of the table with extreme arguments, each in a process of its own.
"""

from __future__ import annotations

from typing import Final

MOST_HISTOGRAM_BINS: Final = 65_536
"""ITK allocates memory for any number of bins."""
SLIC_LARGEST_VALUE: Final = 1e18
SLIC_LARGEST_WEIGHT: Final = 1e15
"""Squares of larger values or weights are out of the range of float32; ITK would leave voxels
without a label, and crash."""

VECTORS: Final = {
    "checkerPattern": "extents",
    "superGridSize": "extents",
    "layout": "layout",
    **dict.fromkeys(("seed", "seed1", "seed2"), "point"),
}
"""Kinds of vectors of integers that ITK does not check against the size of the image."""
BOUNDS: Final[dict[str, dict[str, object]]] = {
    "conductanceScalingUpdateInterval": {"least": 1},
    "isolatedValueTolerance": {"least": 1e-9},
    "numberOfHistogramBins": {"least": 2, "most": MOST_HISTOGRAM_BINS},
    "numberOfHistogramLevels": {"least": 1, "most": MOST_HISTOGRAM_BINS},
    "numberOfRangeGaussianSamples": {"least": 1},
    "splineOrder": {"most": 10},
    "terminationUpdateThreshold": {"least": 1e-9},
    "GridSource.gridSpacing": {"least": 0.01, "most": 1e6},
    "GridSource.spacing": {"least": 1e-6, "most": 1000},
    "IsolatedConnected.lower": {"least": -1e300, "most": 1e300},
    "IsolatedConnected.upper": {"least": -1e300, "most": 1e300},
    "AdaptiveHistogramEqualization.image1": {"least": -1e38, "most": 1e38},
    "IsolatedWatershed.image1": {"least": -1e38, "most": 1e38},
    "OtsuMultipleThresholds.numberOfHistogramBins": {"least": 16, "most": 1024},
    "OtsuMultipleThresholds.numberOfThresholds": {"least": 1, "most": 8},
    "SLIC.image1": {"least": -SLIC_LARGEST_VALUE, "most": SLIC_LARGEST_VALUE},
    "SLIC.spatialProximityWeight": {"least": 0, "most": SLIC_LARGEST_WEIGHT},
    "RenyiEntropyThreshold.image": {"blank": False},
    "BinaryMinMaxCurvatureFlow.image1": {"least": -1e18, "most": 1e18},
    "BinaryMinMaxCurvatureFlow.timeStep": {"least": 0, "most": 0.125},
    "MinMaxCurvatureFlow.image1": {"least": -1e18, "most": 1e18},
    "MinMaxCurvatureFlow.timeStep": {"least": 0, "most": 0.125},
}
"""Bounds by parameter, for all functions (`parameter`) or for one (`Function.parameter`)."""
