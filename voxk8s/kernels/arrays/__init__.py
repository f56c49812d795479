"""The kernels of the namespace `arrays`."""

from __future__ import annotations

from typing import Final

from voxk8s.kernels.spec import KernelSpec

KERNELS: Final[tuple[KernelSpec, ...]] = ()
