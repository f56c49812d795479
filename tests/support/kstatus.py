"""The status of an object as kstatus computes it, and with it Flux.

Rules of sigs.k8s.io/cli-utils `pkg/kstatus`: deletion first, then the observed generation, then the
conditions Reconciling and Stalled, then Ready.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

Reading = Literal["Terminating", "InProgress", "Failed", "Current"]


def read(thing: Mapping[str, Any]) -> Reading:
    """Return the kstatus of an object."""
    metadata, status = thing["metadata"], thing.get("status") or {}
    if metadata.get("deletionTimestamp"):
        return "Terminating"
    observed = status.get("observedGeneration")
    if observed is not None and observed != metadata.get("generation"):
        return "InProgress"
    states = {c["type"]: c["status"] for c in status.get("conditions") or ()}
    if states.get("Reconciling") == "True":
        return "InProgress"
    if states.get("Stalled") == "True":
        return "Failed"
    if states.get("Ready", "True") in ("False", "Unknown"):
        return "InProgress"
    return "Current"


def condition(thing: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return one condition of an object, or an empty mapping."""
    conditions = (thing.get("status") or {}).get("conditions") or ()
    return next((dict(c) for c in conditions if c["type"] == kind), {})


TYPES = frozenset({"Ready", "Succeeded", "StoreReady", "ClusterReady"})
"""Conditions that a WorkPlan has from its first status on."""
_ENDS = {"Current": "True", "Failed": "False"}


def broken_rules(states: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return which rules the observed states of one WorkPlan, in their order, do not follow.

    It is in progress until its end, which is for good unless it is run again; what it says of the
    end, of its generation and of its progress never contradicts what it said before.
    """
    runs = groupby(states, _step_of_a_retry)
    return [broken for _, of_a_run in runs for broken in _broken_in_a_run(list(of_a_run))]


def _step_of_a_retry(state: Mapping[str, Any]) -> tuple[object, ...]:
    """Return in which run a state is, and what the status still has of the run before."""
    status = state.get("status") or {}
    clearing = status.get("reason") == "Retry"
    return status.get("retry"), clearing, clearing and "progress" in status


def _broken_in_a_run(states: Sequence[Mapping[str, Any]]) -> list[str]:
    broken: list[str] = []
    before: Mapping[str, Any] = {}
    for place, state in enumerate(states):
        faults = [*_faults_alone(state), *(_faults_after(before, state) if before else ())]
        version = state["metadata"].get("resourceVersion")
        broken += [f"state {place} (version {version}): {fault}" for fault in faults]
        before = state
    return broken


def _faults_alone(state: Mapping[str, Any]) -> Iterator[str]:
    status, reading = state.get("status") or {}, read(state)
    conditions = {c["type"]: c["status"] for c in status.get("conditions") or ()}
    if conditions and not conditions.keys() >= TYPES:
        yield f"conditions are missing: {sorted(TYPES - conditions.keys())}"
    if reading != "Terminating":
        succeeded = conditions.get("Succeeded", "Unknown")
        current = status.get("observedGeneration") == state["metadata"].get("generation")
        if current and succeeded != _ENDS.get(reading, "Unknown"):
            yield f"Succeeded is {succeeded} while kstatus reads {reading}"
        if reading == "Current" and conditions.get("Ready") != "True":
            yield "kstatus reads Current, and Ready is not True"
    observed = [c.get("observedGeneration") or 0 for c in status.get("conditions") or ()]
    if max([status.get("observedGeneration") or 0, *observed]) > state["metadata"]["generation"]:
        yield "a generation was observed that does not exist"
    ended = conditions.get("Succeeded", "Unknown") != "Unknown"
    if ended != bool(status.get("completionTime")):
        yield f"completionTime is {status.get('completionTime')} and the end is {ended}"


def _faults_after(before: Mapping[str, Any], state: Mapping[str, Any]) -> Iterator[str]:
    old, new = before.get("status") or {}, state.get("status") or {}
    ends = [condition(each, "Succeeded").get("status", "Unknown") for each in (before, state)]
    if ends[0] not in ("Unknown", ends[1]):
        yield f"an end was taken back: Succeeded was {ends[0]} and is {ends[1]}"
    if old.get("startTime") not in (None, new.get("startTime")):
        yield "startTime has changed"
    if old.get("completionTime") not in (None, new.get("completionTime")):
        yield "completionTime has changed"
    if (new.get("observedGeneration") or 0) < (old.get("observedGeneration") or 0):
        yield "observedGeneration has gone down"
    if _done(new) < _done(old):
        yield f"progress went down from {old.get('progress')} to {new.get('progress')}"


def _done(status: Mapping[str, Any]) -> int:
    """Return the number of operations that need no more work."""
    return int(str(status.get("progress") or "0").partition("/")[0])
