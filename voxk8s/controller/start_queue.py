"""The WorkPlans that have a Dask cluster, and those that wait for one.

All of it follows from what exists in the cluster and from the statuses: an operator that restarts
takes all WorkPlans in before it lets one start.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

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
from voxk8s.controller.decide.policies.room import (
    has_had_time,
    is_crowded,
    is_starting,
    is_to_begin,
    lacks_room,
    may_compute,
)
from voxk8s.controller.limits import Limits
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.start_window import StartWindow
from voxk8s.controller.work_queue import ObjectKey

_NO_ROOM = (
    "The pods of several runs fill the nodes, and none of these can begin: this one starts again"
    " when its turn comes."
)
_REFUSED = "The Dask cluster could not be created: this is tried again, while others may start."


@dataclass(frozen=True, slots=True)
class _Stuck:
    """A run that has not begun, since its pods have no room, and when this was first seen."""

    run: Candidate
    since: datetime


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
    _stuck: dict[str, _Stuck] = field(default_factory=dict)
    _leaving: set[str] = field(default_factory=set)
    """Those that give way, until their pods are gone."""
    _left: dict[str, datetime] = field(default_factory=dict)
    """When those that have not begun since gave way last: then they came to the queue."""
    _begun: set[str] = field(default_factory=set)
    """Those that have begun, or wait for something else than room."""
    _room: int | None = None
    """How many runs that are not stuck there is room for, as far as that is known."""
    _window: StartWindow = field(init=False)
    _unmade: dict[str, datetime] = field(default_factory=dict)
    """When those that were let start, and have no cluster, were first seen without one."""
    _open: bool = False

    def __post_init__(self) -> None:
        self._window = StartWindow(self.limits.starts_at_once)

    def open(self) -> None:
        """Begin to admit WorkPlans: all that exist were noted."""
        self._open = True
        self._admit()

    def note(self, observed: Observed, now: datetime) -> str:
        """Note what a WorkPlan has and wants; return why it has to wait, empty if it need not."""
        if not (self.limits.any or self.limits.no_room_seconds or self.limits.starts_at_once):
            return ""
        metadata = observed.workplan.metadata
        uid = metadata.uid
        self._note_start(observed, now)
        self._note_room(observed, now)
        if uid in self._leaving:
            return _NO_ROOM
        if has_cluster(observed):
            self._refused.discard(uid)
        elif self._is_refused(observed):
            return self._note_refused(observed)
        has_left = uid in self._left and not _has_children(observed)
        if holds_cluster(observed) and not has_left:
            self._waiting.pop(uid, None)
            if uid not in self._holding:
                self._holding[uid] = metadata.namespace
                self._note_start(observed, now)
            return ""
        # The phase may be one that its runner wrote as it stopped.
        wants = wants_cluster(observed) or (has_left and is_looked_up(observed))
        if uid in self._holding and (wants or is_looked_up(observed)):
            return ""  # It was admitted and has no cluster yet.
        if not wants:
            self.forget(uid)
            return ""
        if not self.limits.any and self._room is None and self._open and self._window.has_place:
            self._hold(uid, metadata.namespace)
            return ""
        self._waiting[uid] = self._candidate(observed)
        self._admit()
        return self._reason(metadata.namespace) if uid in self._waiting else ""

    def gives_way(self, uid: str) -> bool:
        """Whether the pods of a run have to go, so that others can begin."""
        return uid in self._leaving

    def forget(self, uid: str) -> None:
        """Drop a WorkPlan that is gone, or needs no cluster: another one may start."""
        self._refused.discard(uid)
        self._stuck.pop(uid, None)
        self._leaving.discard(uid)
        self._left.pop(uid, None)
        self._begun.discard(uid)
        self._unmade.pop(uid, None)
        self._window.ends(uid)
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
            self._window.ends(uid)
            if self._holding.pop(uid, None):
                self._admit()
            return _REFUSED
        if uid not in self._holding:
            self._waiting[uid] = self._candidate(observed)
            self._admit()
        return self._reason(metadata.namespace) if uid in self._waiting else ""

    def _note_start(self, observed: Observed, now: datetime) -> None:
        """Note whether a run that was let start is still starting."""
        uid = observed.workplan.metadata.uid
        if uid in self._leaving or not (uid in self._holding or has_cluster(observed)):
            return
        patience = timedelta(seconds=self.limits.no_room_seconds)
        if is_starting(observed, now, patience, self._unmade_since(observed, now)):
            self._window.starts(uid, crowded=is_crowded(observed))
        elif may_compute(observed):
            self._window.begins(uid)
        elif is_to_begin(observed):
            self._window.delays(uid)
        else:
            self._window.ends(uid)

    def _unmade_since(self, observed: Observed, now: datetime) -> datetime:
        """Return since when the cluster of a run could have been made; `now` if it exists."""
        uid = observed.workplan.metadata.uid
        if observed.cluster is not None:
            self._unmade.pop(uid, None)
        elif not is_looked_up(observed):
            return self._unmade.setdefault(uid, now)
        return now

    def _note_room(self, observed: Observed, now: datetime) -> None:
        """Note whether a run has begun, is stuck, or has gone to make room."""
        uid = observed.workplan.metadata.uid
        patience = timedelta(seconds=self.limits.no_room_seconds)
        if uid in self._leaving:
            if not _has_children(observed):
                self._holding.pop(uid, None)
            elif not may_compute(observed) or _is_going(observed):
                return
            self._leaving.discard(uid)
        elif patience and lacks_room(observed, now, patience):
            self._window.delays(uid)
            known = self._stuck.get(uid)
            self._stuck[uid] = _Stuck(self._candidate(observed), known.since if known else now)
            self._make_room(uid, now, patience)
            self._admit()
            return
        elif (
            uid in self._holding
            and uid not in self._begun
            and (may_compute(observed) or has_had_time(observed, now, patience))
        ):
            self._begun.add(uid)
            self._left.pop(uid, None)
            if self._room is not None:
                self._room = max(self._room, self._room_beside_begun())
        self._stuck.pop(uid, None)
        self._admit()

    def _make_room(self, uid: str, now: datetime, patience: timedelta) -> None:
        """Let a stuck run give way to the first one, or the first one, if it has had its chance.

        What fits nowhere has a scheduler and a runner, which may be in the way of all others.
        """
        first = min(self._stuck.values(), key=lambda each: each.run.rank)
        if first.run.uid == uid:
            return
        if now - first.since < patience:
            self._give_way(uid, now)
        else:
            self._give_way(first.run.uid, now)
            self.enqueue(ObjectKey(first.run.namespace, first.run.name))

    def _give_way(self, uid: str, now: datetime) -> None:
        """Let a run go, and others start only as there proves to be room.

        One more than have begun together since may be, without the first of those that are stuck:
        that one may never fit, and those that have begun may never end.
        """
        del self._stuck[uid]
        self._begun.discard(uid)
        self._window.ends(uid)
        self._leaving.add(uid)
        self._left[uid] = now
        self._room = self._room_beside_begun()

    def _room_beside_begun(self) -> int:
        return len(self._begun & self._holding.keys()) + 1

    def _candidate(self, observed: Observed) -> Candidate:
        found = candidate(observed)
        left = self._left.get(found.uid)
        return found if left is None else replace(found, since=left, gave_way=True)

    def _has_room(self) -> bool:
        """Whether one more may start; pods that are to go may stay for ever on a lost node."""
        if self._room is None:
            return True
        return len(self._holding.keys() - self._stuck.keys() - self._leaving) < self._room

    def _admit(self) -> None:
        if not (self._waiting or self._stuck or self._leaving):
            self._room = None
        if not self._waiting:
            self._window.close()
        while self._open and self._waiting and self._has_room() and self._window.has_place:
            found = next_to_start(self._waiting.values(), self._counts(), self.limits)
            if found is None:
                return
            del self._waiting[found.uid]
            self._hold(found.uid, found.namespace)
            self.enqueue(ObjectKey(found.namespace, found.name))

    def _hold(self, uid: str, namespace: str) -> None:
        self._holding[uid] = namespace
        self._unmade.pop(uid, None)
        self._window.starts(uid)

    def _counts(self) -> Counter[str]:
        return Counter(self._holding.values())

    def _reason(self, namespace: str) -> str:
        others = len(self._waiting) - 1
        few = {0: "no other WorkPlan waits", 1: "1 other WorkPlan waits"}
        number = few.get(others, f"{others} other WorkPlans wait")
        limit = self.limits.reached(namespace, self._counts())
        if not limit and not self._has_room():
            return f"Waits for room: pods of runs fit on no node, and {number} as of now."
        if not limit and not self._window.has_place:
            starting = {1: "1 run is"}.get(
                self._window.starting, f"{self._window.starting} runs are"
            )
            return f"Waits for its start: {starting} starting, and {number} as of now."
        limit = limit or "the clusters of the limits"
        return f"Waits for a Dask cluster: {limit} are in use, and {number} as of now."


def _has_children(observed: Observed) -> bool:
    runner = observed.runner
    return has_cluster(observed) or (runner is not None and not runner.finished)


def _is_going(observed: Observed) -> bool:
    """Whether a child that a run needs is gone, or being deleted."""
    cluster, runner = observed.cluster, observed.runner
    return cluster is None or runner is None or runner.deleting or cluster.deleting is not None
