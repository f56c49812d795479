"""Property tests of kernels have no deadline: the first call of a kernel loads its libraries."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("kernels", deadline=None)
settings.load_profile("kernels")
