"""What a condition says, before times and generations are added."""

from __future__ import annotations

from dataclasses import dataclass

from voxk8s.api import ConditionStatus


@dataclass(frozen=True, slots=True)
class Claim:
    """Type, status, reason and message of a condition."""

    type: str
    status: ConditionStatus
    reason: str
    message: str
