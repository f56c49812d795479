"""The kernels of the namespace `strings`."""

from __future__ import annotations

from functools import partial
from typing import Final

from voxk8s.kernels.kernel_spec import KernelSpec, make_specs

_rows = partial(make_specs, "strings", seconds=3e-6, cheap=True)

KERNELS: Final[tuple[KernelSpec, ...]] = (
    *_rows(
        "text",
        ("concat", "any any* -> string", 0.0, "The arguments as text, one after the other"),
        ("equals", "any any -> bool", 0.0, "Whether two texts are the same"),
        ("split", "string string? -> sequence", 0.0, "The pieces of a text between separators"),
    ),
    *_rows(
        "text",
        ("format_string", "string any* -> string", 0.0, "A template with its fields filled in"),
        version=2,
    ),
)
