"""The kernels of the namespace `arrays`: metrics and statistics of images and arrays."""

from __future__ import annotations

from functools import partial
from typing import Final

from voxk8s.kernels.kernel_spec import KernelSpec, make_specs

_rows = partial(make_specs, "arrays", seconds=5e-5)

KERNELS: Final[tuple[KernelSpec, ...]] = (
    *_rows(
        "segmentation_metrics",
        ("pixel_accuracy", "any any -> mapping", 2e-3, "Share of equal voxels"),
        (
            "confusion_matrix",
            "any any number? -> mapping",
            3e-2,
            "Counts by class, precision, recall and F1",
        ),
    ),
    *_rows(
        "segmentation_metrics",
        ("dice_score", "any any number? -> mapping", 4e-4, "Dice coefficient"),
        ("jaccard_index", "any any number? -> mapping", 4e-4, "Jaccard index"),
        version=2,
    ),
    *_rows(
        "array_statistics",
        ("count_pixels", "any number? -> mapping", 3e-2, "Counts of values"),
        version=2,
    ),
    *_rows(
        "array_statistics",
        (
            "threshold_equal",
            "image number number? number? -> image",
            2e-3,
            "Where an image equals a number",
        ),
        ("array_stats", "any -> mapping", 0.1, "Mean, deviation, extremes, median"),
        ("compare_arrays", "any any -> mapping", 2e-2, "Differences of two arrays"),
    ),
)
