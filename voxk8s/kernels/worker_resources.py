"""What workers offer and operations need while they run, such as GPUs, by name and amount. Pure.

These are Dask's worker resources: numbers that are compared, whatever they stand for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TypeAlias

from voxk8s.constants import RESOURCE_NAME
from voxk8s.errors import InvalidUsage

Resources: TypeAlias = tuple[tuple[str, float], ...]
"""Amounts by name, sorted by name."""


def checked(given: Mapping[str, float], what: str) -> Resources:
    """Return resources in order of their names; raise InvalidUsage, about `what`, for others."""
    for name, amount in given.items():
        if not re.fullmatch(RESOURCE_NAME, str(name)):
            raise InvalidUsage(
                f"{what}: expected names of resources such as GPU (letters, digits, . _ and -),"
                f" got {name!r}"
            )
        if type(amount) not in (int, float) or not math.isfinite(amount) or amount <= 0:
            raise InvalidUsage(
                f"{what}: expected a positive amount of the resource {name}, got {amount!r}"
            )
    return tuple(sorted((name, float(amount)) for name, amount in given.items()))


def calls_at_once(offered: Mapping[str, float], needed: Resources) -> int | None:
    """Return how many calls that need so much a worker can run at a time; None means any number."""
    if not needed:
        return None
    return min(int(offered.get(name, 0.0) / amount + 1e-9) for name, amount in needed)


def describe(resources: Resources) -> str:
    """Return resources as text, such as `GPU=1 MEMORY=2.5`; whole amounts up to 10**15 exactly."""
    # Workers are started with this text: one rounded down would never get what needs all of it.
    return " ".join(f"{name}={amount:.15g}" for name, amount in resources)
