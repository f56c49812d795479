"""The kernels of the namespace `vox1`: spatial logic on images."""

from __future__ import annotations

from typing import Final

from voxk8s.kernels.spec import KernelSpec

KERNELS: Final[tuple[KernelSpec, ...]] = ()
