"""Parses Workloads and ResourceFlavors of Kueue, as JSON data, into views. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from voxk8s.api.spec import Toleration
from voxk8s.api.workplan import convert
from voxk8s.cluster.placement import Placement
from voxk8s.constants import KIND
from voxk8s.controller.observe.observed import FlavorView, Problem, WorkloadView

Json: TypeAlias = Mapping[str, Any]


def workload(body: Json) -> WorkloadView:
    """Parse a Workload."""
    metadata, spec, status = body["metadata"], body.get("spec") or {}, body.get("status") or {}
    conditions = {each["type"]: each for each in status.get("conditions") or ()}
    admission = status.get("admission") or {}
    assignments = {each["name"]: each for each in admission.get("podSetAssignments") or ()}
    reserved = _holds(conditions, "QuotaReserved")
    return WorkloadView(
        name=metadata["name"],
        uid=metadata["uid"],
        owner=_owner(metadata),
        queue=str(spec.get("queueName", "")),
        priority=int(spec.get("priority") or 0),
        classed=bool(spec.get("priorityClassRef")),
        active=spec.get("active") is not False,
        reserved=reserved,
        admitted=_holds(conditions, "Admitted"),
        finished=_holds(conditions, "Finished"),
        pods_ready=_holds(conditions, "PodsReady"),
        deleting="deletionTimestamp" in metadata,
        evicted=_problem(conditions["Evicted"]) if _holds(conditions, "Evicted") else None,
        waiting=None if reserved else _waiting(conditions),
        assigned={
            name: Placement(count=_count(each)).with_other(_updates(status, name))
            for name, each in assignments.items()
        },
        flavors={
            name: tuple(sorted(set((each.get("flavors") or {}).values())))
            for name, each in assignments.items()
        },
    )


def flavor(body: Json) -> FlavorView:
    """Parse a ResourceFlavor."""
    spec = body.get("spec") or {}
    labels = {str(name): str(value) for name, value in (spec.get("nodeLabels") or {}).items()}
    return FlavorView(body["metadata"]["name"], Placement(labels, _tolerations(spec)))


def placements(
    workload: WorkloadView, flavors: Mapping[str, FlavorView]
) -> tuple[dict[str, Placement], tuple[str, ...]]:
    """Return the placement of each pod set, and the flavors that are not among `flavors`."""
    found: dict[str, Placement] = {}
    for name, assigned in workload.assigned.items():
        placement = Placement()
        for each in workload.flavors.get(name, ()):
            if each in flavors:
                placement = placement.with_other(flavors[each].placement)
        found[name] = placement.with_other(assigned)
    named = {each for names in workload.flavors.values() for each in names}
    return found, tuple(sorted(named - flavors.keys()))


def _updates(status: Json, pod_set: str) -> Placement:
    """Return what admission checks change in the pods of a set."""
    placement = Placement()
    for check in status.get("admissionChecks") or ():
        for each in check.get("podSetUpdates") or ():
            if each["name"] == pod_set:
                update = Placement(
                    each.get("nodeSelector") or {},
                    _tolerations(each),
                    each.get("labels") or {},
                    each.get("annotations") or {},
                )
                placement = placement.with_other(update)
    return placement


def _tolerations(holder: Json) -> tuple[Toleration, ...]:
    given: Iterable[Json] = holder.get("tolerations") or ()
    return tuple(convert(each, Toleration) for each in given)


def _count(assignment: Json) -> int | None:
    count = assignment.get("count")
    return None if count is None else int(count)


def _waiting(conditions: Mapping[str, Json]) -> Problem | None:
    found = conditions.get("QuotaReserved")
    return None if found is None else _problem(found)


def _problem(condition: Json) -> Problem:
    return Problem(str(condition.get("reason", "")), str(condition.get("message", "")))


def _holds(conditions: Mapping[str, Json], kind: str) -> bool:
    return kind in conditions and conditions[kind].get("status") == "True"


def _owner(metadata: Json) -> str:
    owners = metadata.get("ownerReferences") or ()
    return next((str(each["uid"]) for each in owners if each["kind"] == KIND), "")
