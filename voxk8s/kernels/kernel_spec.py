"""Specifications of kernels, and the context of a call: signature, function, cost, attempt."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from voxk8s.errors import InvalidUsage
from voxk8s.kernels.devices import Device
from voxk8s.kernels.worker_resources import Resources
from voxk8s.plan.signature import Role, Signature

if TYPE_CHECKING:
    from voxk8s.values import Value

KernelFunction: TypeAlias = "Callable[..., Value]"
Row: TypeAlias = tuple[str, str, float, str] | tuple[str, str, float, str, str]

TYPE_NAMES: Final = frozenset(
    {"image", "mask", "number", "string", "bool", "sequence", "mapping", "closure", "any"}
)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_]*)+")

attempt: Final[ContextVar[int]] = ContextVar("voxk8s_attempt", default=1)
"""Number of the current attempt at the operation, from 1; set by an engine that retries.

For kernels that simulate failures only: a result must not depend on it.
"""


@dataclass(frozen=True, slots=True)
class CostHint:
    """The estimated cost of one call on one core, used until the store has measured costs.

    Every call costs `seconds`, and `per_megavoxel` seconds for every million voxels of the largest
    image among its arguments and its result.
    """

    seconds: float = 1e-5
    per_megavoxel: float = 0.0

    def estimate(self, voxels: int) -> float:
        """Return the seconds that a call on images of `voxels` voxels takes."""
        return self.seconds + self.per_megavoxel * voxels / 1e6


@dataclass(frozen=True, slots=True)
class KernelSpec:
    """A kernel as the registry holds it.

    `implementation` is the function, or `module:function` to be imported on first use; it is empty
    for operations that the engine performs itself (loads, listings, maps). `gpu` is the
    implementation for processes that have a GPU; it must return the same bits. `uses` are the
    distributions that take part beside `signature.libraries`: they compute what the kernel defines,
    so that records name their versions and keys do not. `resources` are what a worker must offer to
    run the kernel; values do not depend on them.
    """

    signature: Signature
    implementation: str | KernelFunction
    cost: CostHint | None = None
    doc: str = ""
    gpu: str | KernelFunction | None = None
    uses: tuple[str, ...] = ()
    resources: Resources = ()

    def implementation_for(self, device: Device) -> str | KernelFunction:
        """Return the implementation for a device; that for the CPU if there is no other."""
        return self.gpu if device is Device.GPU and self.gpu else self.implementation


def module_of(function: Callable[..., object]) -> str:
    """Return the module of a function; empty if it has none, as some that are not in Python."""
    return getattr(function, "__module__", None) or ""


def check_name(qualified: str) -> str:
    """Return a qualified name; raise InvalidUsage unless it has the form `namespace.name`."""
    if not _NAME.fullmatch(qualified):
        raise InvalidUsage(
            f"expected a kernel name such as lab.smooth (namespace.name, of letters, digits and _),"
            f" got {qualified!r}"
        )
    return qualified


def make_spec(
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
    libraries: tuple[str, ...] = (),
    uses: tuple[str, ...] = (),
) -> KernelSpec:
    """Create the spec of a built-in kernel.

    `types` has the form `image number -> mask`. A parameter that ends with `?` is optional, as are
    all after it; the last one may end with `*`: it repeats any number of times. An `elementwise`
    kernel also runs on a GPU: its function works on arrays of NumPy and CuPy, and each of its steps
    is exact. `libraries` define the values, `uses` only compute them (see `KernelSpec`).
    """
    left, _, result = types.partition("->")
    names = left.split()
    optional = sum(1 for name in names if name.endswith("?"))
    repeats = bool(names) and names[-1].endswith("*")
    parameters = tuple(name.rstrip("?*") for name in names)
    unknown = {*parameters, result.strip()} - TYPE_NAMES
    if unknown:
        raise InvalidUsage(
            f"kernel {qualified}: expected types among {', '.join(sorted(TYPE_NAMES))},"
            f" got {min(unknown)!r}"
        )
    signature = Signature(
        qualified=check_name(qualified),
        version=version,
        minimum=len(names) - optional - repeats,
        maximum=None if repeats else len(names),
        parameters=parameters,
        result=result.strip(),
        role=role,
        cheap=cheap,
        libraries=tuple(sorted(libraries)),
    )
    gpu = f"voxk8s.kernels.gpu:{implementation}" if elementwise else None
    return KernelSpec(signature, implementation, cost, doc, gpu, uses)


def make_specs(
    namespace: str,
    module: str,
    *rows: Row,
    seconds: float,
    version: int = 1,
    role: Role = Role.COMPUTE,
    cheap: bool = False,
    elementwise: bool = False,
    libraries: tuple[str, ...] = (),
    uses: tuple[str, ...] = (),
) -> tuple[KernelSpec, ...]:
    """Create the specs of kernels that one module of a built-in namespace implements.

    A row has the name of a kernel, its types as for `make_spec`, the seconds that it takes for a
    million voxels, its description, and the name of its function if that is another.
    """
    return tuple(
        make_spec(
            f"{namespace}.{name}",
            types,
            f"voxk8s.kernels.{namespace}.{module}:{function[0] if function else name}",
            doc,
            version=version,
            role=role,
            cheap=cheap,
            cost=CostHint(seconds, per_megavoxel),
            elementwise=elementwise,
            libraries=libraries,
            uses=uses,
        )
        for name, types, per_megavoxel, doc, *function in rows
    )
