"""Where a WorkPlan is in its life: one value that conditions, children and phase follow from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """The word in the Status column."""

    PENDING = "Pending"
    RESOLVING = "Resolving"
    STARTING = "Starting"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class PhaseState:
    """A phase, why it is so, and whether it was so before.

    `recorded` marks an end that the status already tells; it never changes any more.
    """

    phase: Phase
    reason: str
    message: str
    recorded: bool = False

    @property
    def ended(self) -> bool:
        """Whether the WorkPlan is done, well or not."""
        return self.phase in (Phase.SUCCEEDED, Phase.FAILED)

    @property
    def working(self) -> bool:
        """Whether the children of a run are wanted."""
        return self.phase in (Phase.STARTING, Phase.RUNNING)
