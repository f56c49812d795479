"""What the registry knows of a kernel: signature, implementation, cost and a line of text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from voxk8s.errors import InvalidUsage
from voxk8s.kernels.devices import Device
from voxk8s.plan.signature import Role, Signature

if TYPE_CHECKING:
    from voxk8s.values import Value

KernelFunction: TypeAlias = "Callable[..., Value]"

TYPE_WORDS: Final = frozenset(
    {"image", "mask", "number", "string", "bool", "sequence", "mapping", "closure", "any"}
)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_]*)+")


@dataclass(frozen=True, slots=True)
class CostHint:
    """What one call costs on one core before anybody has measured it.

    `seconds` is paid by every call, `per_megavoxel` for every million voxels of the largest image
    among arguments and result.
    """

    seconds: float = 1e-5
    per_megavoxel: float = 0.0

    def estimate(self, voxels: int) -> float:
        """Seconds for images of so many voxels."""
        return self.seconds + self.per_megavoxel * voxels / 1e6


@dataclass(frozen=True, slots=True)
class KernelSpec:
    """A kernel as the registry holds it.

    `implementation` is the function, or `module:function` to be imported on first use; it is empty
    for operations that the engine performs itself (loads, listings, maps). `gpu` is the same for
    processes that have a GPU; it must give the same bits.
    """

    signature: Signature
    implementation: str | KernelFunction
    cost: CostHint | None = None
    doc: str = ""
    gpu: str | KernelFunction | None = None

    def implementation_for(self, device: Device) -> str | KernelFunction:
        """Give the implementation for a device; the CPU's where there is no other."""
        return self.gpu if device is Device.GPU and self.gpu else self.implementation


def check_name(qualified: str) -> str:
    """Give the name back; raises InvalidUsage unless it reads `namespace.name`."""
    if not _NAME.fullmatch(qualified):
        raise InvalidUsage(
            f"kernel name {qualified!r}: must be namespace.name, letters, digits and _ only"
        )
    return qualified


def spec(
    qualified: str,
    types: str,
    implementation: str,
    doc: str,
    *,
    version: int = 1,
    role: Role = Role.COMPUTE,
    cheap: bool = False,
    cost: CostHint | None = None,
    elementwise: bool = False,
) -> KernelSpec:
    """Write a spec in one line.

    `types` reads `image number -> mask`. A parameter with `?` may be left out, as may all after
    it; one with `*` may be there any number of times and is the last. An `elementwise` kernel also
    runs on a GPU: its function works on arrays of any library, each step of it exact.
    """
    left, _, result = types.partition("->")
    words = left.split()
    optional = sum(1 for word in words if word.endswith("?"))
    repeats = bool(words) and words[-1].endswith("*")
    parameters = tuple(word.rstrip("?*") for word in words)
    unknown = {*parameters, result.strip()} - TYPE_WORDS
    if unknown:
        raise InvalidUsage(f"kernel {qualified}: unknown type {min(unknown)!r}")
    signature = Signature(
        qualified=check_name(qualified),
        version=version,
        minimum=len(words) - optional - repeats,
        maximum=None if repeats else len(words),
        parameters=parameters,
        result=result.strip(),
        role=role,
        cheap=cheap,
    )
    gpu = f"voxk8s.kernels.gpu:{implementation}" if elementwise else None
    return KernelSpec(signature, implementation, cost, doc, gpu)
