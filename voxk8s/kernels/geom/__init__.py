"""The kernels of the namespace `geom`: shapes drawn into 2-D images."""

from __future__ import annotations

from functools import partial
from typing import Final

from voxk8s.kernels.kernel_spec import KernelSpec, make_specs

_rows = partial(make_specs, "geom", seconds=5e-5)

KERNELS: Final[tuple[KernelSpec, ...]] = (
    *_rows(
        "shapes",
        ("blank", "number number number? -> image", 1e-3, "A 2-D image of height, width and value"),
        (
            "circle",
            "image number number number number -> image",
            5e-3,
            "A disc drawn: image, x, y, radius, value",
        ),
        (
            "regular_polygon",
            "image number number number number number -> image",
            2e-2,
            "A regular polygon drawn: image, x, y, radius, sides, value",
        ),
    ),
)
