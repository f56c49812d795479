"""The WorkPlans that have a Dask cluster, and those that wait for one.

All of it follows from what exists in the cluster and from the statuses: an operator that restarts
takes all WorkPlans in before it lets one start.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from voxk8s.controller.decide.policies.queueing import (
    Candidate,
    candidate,
    has_cluster,
    holds_cluster,
    is_looked_up,
    is_refused,
    may_run,
    next_to_start,
    wants_cluster,
    was_refused,
)
from voxk8s.controller.limits import Limits
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.work_queue import ObjectKey

_REFUSED = "The Dask cluster could not be created: this is tried again, while others may start."


@dataclass(slots=True)
class StartQueue:
    """Admits WorkPlans up to the limits; `enqueue` receives those whose turn has come."""

    limits: Limits
    enqueue: Callable[[ObjectKey], None]
    _holding: dict[str, str] = field(default_factory=dict)
    """Namespace by uid of those that have a cluster, or have just been admitted."""
    _waiting: dict[str, Candidate] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)
    """Those whose cluster could not be created, until they have one."""
    _open: bool = False

    def open(self) -> None:
        """Begin to admit WorkPlans: all that exist were noted."""
        self._open = True
        self._admit()

    def note(self, observed: Observed) -> str:
        """Note what a WorkPlan has and wants; return why it has to wait, empty if it need not."""
        if not self.limits.any:
            return ""
        metadata = observed.workplan.metadata
        uid = metadata.uid
        if has_cluster(observed):
            self._refused.discard(uid)
        elif self._is_refused(observed):
            return self._note_refused(observed)
        if holds_cluster(observed):
            self._waiting.pop(uid, None)
            self._holding[uid] = metadata.namespace
            return ""
        wants = wants_cluster(observed)
        if uid in self._holding and (wants or is_looked_up(observed)):
            return ""  # It was admitted and has no cluster yet.
        if not wants:
            self.forget(uid)
            return ""
        self._waiting[uid] = candidate(observed)
        self._admit()
        return self._reason(metadata.namespace) if uid in self._waiting else ""

    def forget(self, uid: str) -> None:
        """Drop a WorkPlan that is gone, or needs no cluster: another one may start."""
        self._refused.discard(uid)
        waited = self._waiting.pop(uid, None)
        if self._holding.pop(uid, None) or waited:
            self._admit()

    @property
    def waiting(self) -> int:
        """Number of WorkPlans that wait."""
        return len(self._waiting)

    def _is_refused(self, observed: Observed) -> bool:
        if observed.workplan.metadata.uid in self._refused or is_refused(observed):
            return True
        return not self._open and was_refused(observed)

    def _note_refused(self, observed: Observed) -> str:
        """Let one whose cluster could not be created try again when it is due and has a place.

        Else a quota of one namespace would keep the others waiting.
        """
        metadata = observed.workplan.metadata
        uid = metadata.uid
        if not may_run(observed):
            self.forget(uid)
            return ""
        self._refused.add(uid)
        if observed.create_wait > 0 or not wants_cluster(observed):
            self._waiting.pop(uid, None)
            if self._holding.pop(uid, None):
                self._admit()
            return _REFUSED
        if uid not in self._holding:
            self._waiting[uid] = candidate(observed)
            self._admit()
        return self._reason(metadata.namespace) if uid in self._waiting else ""

    def _admit(self) -> None:
        while self._open and self._waiting:
            found = next_to_start(self._waiting.values(), self._counts(), self.limits)
            if found is None:
                return
            del self._waiting[found.uid]
            self._holding[found.uid] = found.namespace
            self.enqueue(ObjectKey(found.namespace, found.name))

    def _counts(self) -> Counter[str]:
        return Counter(self._holding.values())

    def _reason(self, namespace: str) -> str:
        limit = self.limits.reached(namespace, self._counts()) or "the clusters of the limits"
        others = len(self._waiting) - 1
        number = "1 other WorkPlan waits" if others == 1 else f"{others} other WorkPlans wait"
        return f"Waits for a Dask cluster: {limit} are in use, and {number} as of now."
