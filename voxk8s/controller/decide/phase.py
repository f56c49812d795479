"""The phase of a WorkPlan: conditions, status and children follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from voxk8s import constants


class Phase(StrEnum):
    """The value of `status.phase`."""

    PENDING = "Pending"
    RESOLVING = "Resolving"
    QUEUED = "Queued"
    STARTING = "Starting"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


ACTIVE_PHASES = (Phase.STARTING.value, Phase.RUNNING.value)
"""The phases, as the status has them, of a run that has started."""


@dataclass(frozen=True, slots=True)
class PhaseState:
    """A phase with its reason and message.

    `recorded` is whether the phase is an end that the status already reports: it never changes.
    """

    phase: Phase
    reason: str
    message: str
    recorded: bool = False

    @property
    def ended(self) -> bool:
        """Whether the WorkPlan succeeded or failed."""
        return self.phase in (Phase.SUCCEEDED, Phase.FAILED)

    @property
    def stops_pods(self) -> bool:
        """Whether the run has pods and may have none until it starts again."""
        stopped = (constants.REASON_EVICTED, constants.REASON_NO_ROOM)
        return self.phase is Phase.QUEUED and self.reason in stopped

    @property
    def needs_children(self) -> bool:
        """Whether the run needs its cluster and runner."""
        return self.phase in ACTIVE_PHASES
