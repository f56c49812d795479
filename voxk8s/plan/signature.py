"""The signature of a kernel: all that a plan needs to know of it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from voxk8s.plan.kernel_version import KernelVersion


class Role(StrEnum):
    """What the engine does with an operation besides calling its function."""

    COMPUTE = "compute"
    """A pure function of its arguments."""
    LOAD = "load"
    """Reads the external input that its first argument names; its content is pinned."""
    LISTING = "listing"
    """Lists a folder; the listing is pinned."""
    GEOMETRY = "geometry"
    """Takes its geometry from images: without arguments, from those that the plan loads."""
    MAP = "map"
    """Applies a closure (argument 0) to each item of a sequence (argument 1)."""
    FOLD = "fold"
    """Applies a closure (argument 0) to each item of a sequence (argument 1), from the left.

    The closure's capture `accumulator` is the first value, then the result for the item before.
    """
    SAVE = "save"
    """Encodes a value as a file; made by `save` goals, not allowed in a document."""


class Signature(msgspec.Struct, frozen=True):
    """Name, version and arity of a kernel.

    `qualified` is `namespace.name`. `maximum` is None for a kernel that takes any number of
    arguments. `parameters` and `result` are types: `image`, `mask`,
    `number`, `string`, `bool`, `sequence`, `mapping`, `closure`, `any`; the last parameter
    repeats when there are more arguments. `cheap` means that computing it costs less than a
    Dask task. `version` is 0 for a kernel that is versioned by its code. `libraries` are the
    distributions whose versions are part of its result keys, since they define its values.
    """

    qualified: str
    version: int
    minimum: int
    maximum: int | None
    parameters: tuple[str, ...] = ()
    result: str = "any"
    role: Role = Role.COMPUTE
    cheap: bool = False
    libraries: tuple[str, ...] = ()


class KernelIndex(Protocol):
    """Finds kernels by the names that plans use."""

    def find(self, name: str, imports: Sequence[str]) -> Signature | None:
        """Return a kernel: by qualified name, in `default`, then in `imports` in order."""

    def version_of(self, signature: Signature) -> KernelVersion:
        """Return the full version of a kernel; raise UnknownKernelVersion if it is not known.

        It is only called for kernels without a version number or with `libraries`.
        """

    def names(self) -> Sequence[str]:
        """Return all qualified names, sorted; for suggestions in error messages."""

    def load_errors(self) -> Sequence[str]:
        """Return why installed packages of kernels cannot be loaded; for error messages."""


def takes_geometry(signature: Signature, count: int) -> bool:
    """Whether an operation with `count` arguments takes its geometry from loaded images.

    The images of a geometry kernel follow its least number of arguments: none for `tt` and
    `border`, one for `constant(k)`. Without images it takes all that its scope loads.
    """
    return signature.role is Role.GEOMETRY and count == signature.minimum
