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
from voxk8s.kernels.simpleitk.function_table import Overload, load_functions

_TYPE_NAMES: Final = {
    "integer": "number",
    "extents": "any",
    "layout": "any",
    "labels": "image",
    "pairs": "sequence",
    "point": "sequence",
    "points": "sequence",
}
_VECTORS: Final = ("integers", "numbers", "images", "labellings", "enum")


def _spec(name: str, overloads: tuple[Overload, ...]) -> KernelSpec:
    minimum = min(overload.minimum for overload in overloads)
    types: list[str] = []
    for position in range(max(overload.maximum for overload in overloads)):
        kinds = {
            overload.parameters[position].kind
            for overload in overloads
            if position < overload.maximum
        }
        # A vector may be given as a number, an enumerator as a name or a number.
        name_of_type = next(iter(kinds)) if len(kinds) == 1 and not kinds & set(_VECTORS) else "any"
        types.append(
            _TYPE_NAMES.get(name_of_type, name_of_type) + ("" if position < minimum else "?")
        )
    return make_spec(
        f"simpleitk.{name}",
        f"{' '.join(types)} -> {overloads[0].result}",
        f"voxk8s.kernels.simpleitk.calls:{name}",
        f"SimpleITK's {name}",
        cost=CostHint(seconds=2e-4, per_megavoxel=5e-2),
        libraries=("SimpleITK",),
    )


KERNELS: Final[tuple[KernelSpec, ...]] = (
    *(_spec(name, overloads) for name, overloads in load_functions().items()),
    make_spec(
        "simpleitk.Statistics",
        "image -> sequence",
        "voxk8s.kernels.simpleitk.statistics:statistics",
        "Minimum, maximum, mean, sigma, variance, sum, number of voxels",
        cost=CostHint(seconds=2e-4, per_megavoxel=1e-2),
        libraries=("SimpleITK",),
    ),
)
