"""The kernels of the namespace `simpleitk`: SimpleITK's functions under their own names.

Arguments are positional. A float without fraction serves as an integer, a number as a vector of
equal numbers, and enumerators are given by name (`"sitkFloat32"`, `"Jet"`). A point is a sequence
of indices with x first; a map (of labels) is a sequence of pairs. Label maps are images of labels,
0 for the background. ITK runs on one thread, and tolerates the same differences of geometry as all
other kernels. Functions that take or return complex voxels are left out, as are those that read,
write or display something.
"""

from __future__ import annotations

from typing import Final

from voxk8s.kernels.kernel_spec import CostHint, KernelSpec, make_spec
from voxk8s.kernels.simpleitk.function_table import load_types


def _spec(name: str, types: str) -> KernelSpec:
    return make_spec(
        f"simpleitk.{name}",
        types,
        f"voxk8s.kernels.simpleitk.calls:{name}",
        f"SimpleITK's {name}",
        cost=CostHint(seconds=2e-4, per_megavoxel=5e-2),
        libraries=("SimpleITK",),
    )


KERNELS: Final[tuple[KernelSpec, ...]] = (
    *(_spec(name, types) for name, types in load_types().items()),
    make_spec(
        "simpleitk.Statistics",
        "image -> sequence",
        "voxk8s.kernels.simpleitk.statistics:statistics",
        "Minimum, maximum, mean, sigma, variance, sum, number of voxels",
        cost=CostHint(seconds=2e-4, per_megavoxel=1e-2),
        libraries=("SimpleITK",),
    ),
)
