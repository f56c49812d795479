"""Speed of kernels on one core, beside SimpleITK and scipy.

Run `python -m tests.tools.bench.kernels`.
Seconds are of the processor, the least of a few rounds: what else the machine does counts little.

The volume is the deterministic one of 155x240x240 voxels: a bright brain with a lesion. `noisy` is
its noisy threshold: ten thousand components, the worst case for connectivity and distances.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from functools import cache

import numpy as np
import SimpleITK as sitk
from scipy import ndimage, stats

from tests.tools.bench.table import Row, show
from tests.tools.bench.volumes import SHAPE, as_image, volume
from voxk8s.formats.encode_file import encode_file
from voxk8s.formats.itk import to_itk
from voxk8s.kernels import registry
from voxk8s.values import Image, Value

CASE = 1


@cache
def volumes() -> tuple[Image, Image, Image, Image]:
    """Make the image, its lesion, its brain and the noisy threshold."""
    flair, lesion = volume(CASE)
    noise = np.random.default_rng(0).normal(0, 0.05, SHAPE)
    voxels = flair.array.astype(np.float32)
    masks = (voxels > 0.2, voxels + noise > 0.3)
    head, noisy = (as_image(mask.astype(np.uint8)) for mask in masks)
    return flair, lesion, head, noisy


def _least(call: Callable[[], object], rounds: int = 5) -> float:
    seconds = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        seconds.append(time.process_time() - start)
    return min(seconds)


def main() -> None:
    """Measure and print."""
    flair, seg, head, noisy = volumes()
    itk_flair, itk_seg, itk_noisy = to_itk(flair), to_itk(seg), to_itk(noisy)
    uneven = dataclasses.replace(noisy, spacing=(1.0, 1.0, 3.0))
    box = np.ones((3, 3, 3), bool)

    def kernel(name: str, *arguments: Value) -> Callable[[], Value]:
        function = registry().function(name)
        return lambda: function(*arguments)

    def row(
        what: str,
        call: Callable[[], object],
        mark: float | None = None,
        peer: str = "",
        other: Callable[[], object] | None = None,
    ) -> Row:
        call()
        return Row(what, _least(call), peer, None if other is None else _least(other, 2), mark)

    def maurer(mask: sitk.Image) -> Callable[[], sitk.Image]:
        return lambda: sitk.SignedMaurerDistanceMap(
            mask, insideIsPositive=False, squaredDistance=False, useImageSpacing=True
        )

    rows = [
        row(
            "near",
            kernel("vox1.near", seg),
            8e-3,
            "SimpleITK BinaryDilate",
            lambda: sitk.BinaryDilate(itk_seg, [1, 1, 1], sitk.sitkBox),
        ),
        row(
            "interior",
            kernel("vox1.interior", seg),
            None,
            "scipy binary_erosion",
            lambda: ndimage.binary_erosion(seg.array.astype(bool), box),
        ),
        row(
            "through",
            kernel("vox1.through", seg, head),
            30e-3,
            "scipy label",
            lambda: ndimage.label(head.array.astype(bool), box),
        ),
        row(
            "through, noisy",
            kernel("vox1.through", seg, noisy),
            30e-3,
            "SimpleITK components",
            lambda: sitk.ConnectedComponent(itk_noisy, True),
        ),
        row(
            "maxvol",
            kernel("vox1.maxvol", seg),
            30e-3,
            "SimpleITK components",
            lambda: sitk.ConnectedComponent(itk_seg, True),
        ),
        row(
            "maxvol, noisy",
            kernel("vox1.maxvol", noisy),
            30e-3,
            "SimpleITK components",
            lambda: sitk.ConnectedComponent(itk_noisy, True),
        ),
        row("grow", kernel("vox1.grow", seg, noisy)),
        row("mayReach", kernel("vox1.mayReach", seg, noisy)),
        row("surrounded", kernel("vox1.surrounded", seg, noisy)),
        row("dt", kernel("vox1.dt", seg), 150e-3, "SimpleITK SignedMaurer", maurer(itk_seg)),
        row(
            "dt, head",
            kernel("vox1.dt", head),
            150e-3,
            "SimpleITK SignedMaurer",
            maurer(to_itk(head)),
        ),
        row(
            "dt, noisy",
            kernel("vox1.dt", noisy),
            150e-3,
            "SimpleITK SignedMaurer",
            maurer(itk_noisy),
        ),
        row(
            "dt, noisy, 1 x 1 x 3 mm",
            kernel("vox1.dt", uneven),
            None,
            "SimpleITK SignedMaurer",
            maurer(to_itk(uneven)),
        ),
        row("distleq(3, a)", kernel("vox1.distleq", 3.0, seg)),
        row("smoothen(a, 3)", kernel("vox1.smoothen", seg, 3.0)),
        row("smoothen(a, 3), noisy", kernel("vox1.smoothen", noisy, 3.0)),
        row(
            "percentiles",
            kernel("vox1.percentiles", flair, head, 0.5),
            60e-3,
            "scipy rankdata",
            lambda: stats.rankdata(flair.array[head.array != 0]),
        ),
        row(
            "threshold",
            kernel("vox1.geq_sv", 0.3, flair),
            2e-3,
            "SimpleITK BinaryThreshold",
            lambda: sitk.BinaryThreshold(itk_flair, 0.3, 1e9),
        ),
        row("between", kernel("vox1.between", 0.3, 0.5, flair)),
        row(
            "and",
            kernel("vox1.and", seg, noisy),
            2e-3,
            "SimpleITK And",
            lambda: sitk.And(itk_seg, itk_noisy),
        ),
        row("not", kernel("vox1.not", seg), 2e-3, "SimpleITK Not", lambda: sitk.Not(itk_seg)),
        row("mask", kernel("vox1.mask", flair, head)),
        row(
            "addition",
            kernel("default.addition", flair, flair),
            None,
            "SimpleITK Add",
            lambda: sitk.Add(itk_flair, itk_flair),
        ),
        row("volume", kernel("vox1.volume", head)),
        row("avg", kernel("vox1.avg", flair, head)),
        row("border", kernel("vox1.border", seg)),
        row(
            "fillholes",
            kernel("vox1.fillholes", seg),
            None,
            "scipy binary_fill_holes",
            lambda: ndimage.binary_fill_holes(seg.array.astype(bool)),
        ),
        row("hd95", kernel("vox1.hd95", seg, head)),
        row("otsu", kernel("vox1.otsu", flair, head, 100.0)),
        row(
            "crossCorrelation(2, 10 bins)",
            kernel("vox1.crossCorrelation", 2.0, flair, flair, seg, 0.0, 1.0, 10.0),
        ),
        row("save mask .nii.gz", lambda: encode_file(head, ".nii.gz")),
        row("save image .nii.gz", lambda: encode_file(flair, ".nii.gz")),
    ]
    show(f"Kernels on {'x'.join(map(str, SHAPE))} voxels, one core", rows)


if __name__ == "__main__":
    main()
