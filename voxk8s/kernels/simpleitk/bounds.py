"""What ITK does not check itself, and crashes or never ends beyond.

Found by calling every function of the table with extreme arguments, each in a process of its own.
"""

from __future__ import annotations

from typing import Final

VECTORS: Final = {
    "checkerPattern": "extents",
    "superGridSize": "extents",
    "layout": "layout",
    **dict.fromkeys(("seed", "seed1", "seed2"), "point"),
}
"""Vectors of integers that ITK takes as they are, and reads beyond the image."""
BOUNDS: Final[dict[str, dict[str, object]]] = {
    "conductanceScalingUpdateInterval": {"least": 1},
    "isolatedValueTolerance": {"least": 1e-9},
    "numberOfHistogramBins": {"least": 2, "most": 65536},
    "numberOfHistogramLevels": {"least": 1, "most": 65536},
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
    "SLIC.image1": {"least": -1e18, "most": 1e18},
    "SLIC.spatialProximityWeight": {"least": 0, "most": 1e15},
    "RenyiEntropyThreshold.image": {"blank": False},
    "BinaryMinMaxCurvatureFlow.image1": {"least": -1e18, "most": 1e18},
    "BinaryMinMaxCurvatureFlow.timeStep": {"least": 0, "most": 0.125},
    "MinMaxCurvatureFlow.image1": {"least": -1e18, "most": 1e18},
    "MinMaxCurvatureFlow.timeStep": {"least": 0, "most": 0.125},
}
"""Parameters beyond which ITK crashes the process or does not end, as trying all of them shows."""
