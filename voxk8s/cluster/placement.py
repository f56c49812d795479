"""Where the pods of a run are placed, and how many there may be, as Kueue admitted them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from voxk8s.api.spec import PodTemplate, Toleration
from voxk8s.api.workplan import WorkPlanResource


@dataclass(frozen=True, slots=True)
class Placement:
    """What a pod set gets in addition to its template; `count` is its number of pods if limited."""

    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    count: int | None = None

    def with_other(self, other: Placement) -> Placement:
        """Return both together; of two values of a label, that of `other`."""
        return Placement(
            {**self.node_selector, **other.node_selector},
            tuple(dict.fromkeys((*self.tolerations, *other.tolerations))),
            {**self.labels, **other.labels},
            {**self.annotations, **other.annotations},
            self.count if other.count is None else other.count,
        )


_GROUP = "worker-"


def component_of_group(group: str) -> str:
    """Return the component, and the pod set, of the workers of a group beside the default one."""
    return f"{_GROUP}{group}"


def group_of_component(component: str) -> str | None:
    """Return the group whose workers a component is; None for the default one and for others."""
    return component.removeprefix(_GROUP) if component.startswith(_GROUP) else None


def placed(workplan: WorkPlanResource, placements: Mapping[str, Placement]) -> WorkPlanResource:
    """Return a WorkPlan whose pods are placed, by component, with no more workers than admitted."""
    if not placements:
        return workplan
    cluster = workplan.spec.cluster
    templates = {
        component: _with_placement(getattr(cluster, component) or PodTemplate(), placement)
        for component, placement in placements.items()
        if group_of_component(component) is None
    }
    groups = tuple(
        msgspec.structs.replace(
            group,
            worker=_with_placement(
                group.worker or PodTemplate(),
                placements.get(component_of_group(group.name), Placement()),
            ),
        )
        for group in cluster.worker_groups or ()
    )
    most = placements["worker"].count if "worker" in placements else None
    workers = cluster.max_workers if most is None else min(most, cluster.max_workers)
    cluster = msgspec.structs.replace(
        cluster,
        **templates,
        worker_groups=groups or None,
        max_workers=workers,
        min_workers=min(cluster.min_workers, workers),
    )
    spec = msgspec.structs.replace(workplan.spec, cluster=cluster)
    return msgspec.structs.replace(workplan, spec=spec)


def _with_placement(template: PodTemplate, placement: Placement) -> PodTemplate:
    own = Placement(
        template.node_selector or {},
        template.tolerations or (),
        template.labels or {},
        template.annotations or {},
    ).with_other(placement)
    return msgspec.structs.replace(
        template,
        node_selector=dict(own.node_selector) or None,
        tolerations=own.tolerations or None,
        labels=dict(own.labels) or None,
        annotations=dict(own.annotations) or None,
    )
