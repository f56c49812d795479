"""What an engine tells the kernel it calls, beside the arguments."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

attempt: Final[ContextVar[int]] = ContextVar("voxk8s_attempt", default=1)
"""Number of this attempt at the operation, from 1; an engine that retries sets it.

Only kernels that simulate failures look at it: a result must never depend on it.
"""
