"""The kernels of the namespace `strings`."""

from __future__ import annotations

from typing import Final

from voxk8s.kernels.kernel_spec import CostHint, KernelSpec, make_spec

_HOME = "voxk8s.kernels.strings.text"
_COST = CostHint(seconds=3e-6)

KERNELS: Final[tuple[KernelSpec, ...]] = (
    make_spec(
        "strings.concat",
        "any any* -> string",
        f"{_HOME}:concat",
        "The arguments as text, one after the other",
        cheap=True,
        cost=_COST,
    ),
    make_spec(
        "strings.format_string",
        "string any* -> string",
        f"{_HOME}:format_string",
        "A template with its fields filled in",
        version=2,
        cheap=True,
        cost=_COST,
    ),
    make_spec(
        "strings.equals",
        "any any -> bool",
        f"{_HOME}:equals",
        "Whether two texts are the same",
        cheap=True,
        cost=_COST,
    ),
    make_spec(
        "strings.split",
        "string string? -> sequence",
        f"{_HOME}:split",
        "The pieces of a text between separators",
        cheap=True,
        cost=_COST,
    ),
)
