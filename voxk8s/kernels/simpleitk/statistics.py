"""Statistics of an image by ITK's filter, as the library of VoxLogicA 2 returns them."""

from __future__ import annotations

import SimpleITK as sitk

from voxk8s.formats.itk import to_itk
from voxk8s.kernels.arguments import require_scalar_image
from voxk8s.kernels.simpleitk.calls import call_itk
from voxk8s.values import Value


def statistics(i: Value) -> Value:
    """Return `[minimum, maximum, mean, sigma, variance, sum, number of voxels]` of an image.

    `sigma` and `variance` are those of a sample (divisor n - 1). KernelError for several channels.
    """
    image = require_scalar_image("Statistics", i)

    def compute() -> tuple[float | int, ...]:
        found = sitk.StatisticsImageFilter()
        found.Execute(to_itk(image))
        return (
            found.GetMinimum(),
            found.GetMaximum(),
            found.GetMean(),
            found.GetSigma(),
            found.GetVariance(),
            found.GetSum(),
            int(image.array.size),
        )

    return call_itk("Statistics", compute)
