"""The kernels of the namespace `arrays`: metrics and statistics of images and arrays."""

from __future__ import annotations

from typing import Final

from voxk8s.kernels.kernel_spec import CostHint, KernelSpec, make_spec

_HOME = "voxk8s.kernels.arrays"


def _row(
    name: str, types: str, function: str, per_megavoxel: float, doc: str, version: int = 1
) -> KernelSpec:
    cost = CostHint(seconds=5e-5, per_megavoxel=per_megavoxel)
    return make_spec(
        f"arrays.{name}", types, f"{_HOME}.{function}:{name}", doc, version=version, cost=cost
    )


KERNELS: Final[tuple[KernelSpec, ...]] = (
    _row(
        "pixel_accuracy",
        "any any -> mapping",
        "segmentation_metrics",
        2e-3,
        "Share of equal voxels",
    ),
    _row(
        "confusion_matrix",
        "any any number? -> mapping",
        "segmentation_metrics",
        3e-2,
        "Counts by class, precision, recall and F1",
    ),
    _row(
        "dice_score",
        "any any number? -> mapping",
        "segmentation_metrics",
        3e-3,
        "Dice coefficient",
        2,
    ),
    _row(
        "jaccard_index",
        "any any number? -> mapping",
        "segmentation_metrics",
        3e-3,
        "Jaccard index",
        2,
    ),
    _row("count_pixels", "any number? -> mapping", "array_statistics", 3e-2, "Counts of values", 2),
    _row(
        "threshold_equal",
        "image number number? number? -> image",
        "array_statistics",
        2e-3,
        "Where an image equals a number",
    ),
    _row(
        "array_stats",
        "any -> mapping",
        "array_statistics",
        0.1,
        "Mean, deviation, extremes, median",
    ),
    _row(
        "compare_arrays",
        "any any -> mapping",
        "array_statistics",
        2e-2,
        "Differences of two arrays",
    ),
)
