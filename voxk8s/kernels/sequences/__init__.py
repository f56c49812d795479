"""The kernels of the namespace `sequences`: choices, and sequences made from sequences."""

from __future__ import annotations

from functools import partial
from typing import Final

from voxk8s.kernels.kernel_spec import KernelSpec, make_specs

_rows = partial(make_specs, "sequences", seconds=3e-6, cheap=True)

KERNELS: Final[tuple[KernelSpec, ...]] = (
    *_rows(
        "selection",
        ("choose", "bool any any -> any", 0.0, "a if c is true, else b: if c then a else b"),
        ("keep", "sequence sequence -> sequence", 0.0, "The items whose flag is true"),
        ("recover", "any any -> any", 0.0, "e, or the value if e cannot be computed"),
        ("gather", "sequence sequence -> sequence", 0.0, "The items at these indices"),
    ),
    *_rows(
        "combination",
        ("length", "sequence -> number", 0.0, "The number of items"),
        ("sum", "sequence -> number", 0.0, "The sum of numbers", "sum_"),
        ("combine", "sequence* -> sequence", 0.0, "The first items together, the second ones, …"),
        (
            "parameter_grid",
            "sequence* -> sequence",
            0.0,
            "Every combination of one item of each sequence",
        ),
    ),
)
