"""NetworkPolicies of the pods of a run."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from voxk8s.api.workplan import WorkPlanResource
from voxk8s.cluster import child_names
from voxk8s.cluster.dask_cluster import DASHBOARD_PORT, SCHEDULER_PORT
from voxk8s.cluster.defaults import Defaults
from voxk8s.cluster.pod_template import Manifest, owned_object
from voxk8s.cluster.resources import NETWORK_POLICIES
from voxk8s.cluster.store_target import StoreTarget
from voxk8s.constants import LABEL_COMPONENT, LABEL_WORKPLAN

_NAMESPACE_NAME = "kubernetes.io/metadata.name"
_FIRST_UNPRIVILEGED_PORT = 1024
"""Workers listen on a port that the operating system chooses."""


def build_network_policies(
    workplan: WorkPlanResource, defaults: Defaults, store: StoreTarget
) -> tuple[Manifest, ...]:
    """Build a policy for each component; together they restrict all traffic of a run's pods.

    Scheduler, workers and runner of a run may connect to each other. Besides, the dask-kubernetes
    operator and the voxk8s operator may connect to the scheduler, all pods to DNS, workers and
    runner to the store and to inputs, and the runner to the API server. Destinations outside the
    run are restricted by port only, because the addresses of stores and API servers are not known.
    Returns no policies if the chart disables them.
    """
    if not defaults.network_policies:
        return ()
    scheduler, worker, runner = (
        _peer(workplan, component) for component in ("scheduler", "worker", "runner")
    )
    outside = sorted({*defaults.input_ports, *_store_ports(store)})
    workers = {"to": [worker], "ports": _ports_from(_FIRST_UNPRIVILEGED_PORT)}
    to_scheduler = {"to": [scheduler], "ports": _tcp((SCHEDULER_PORT, DASHBOARD_PORT))}
    to_outside = {"ports": _tcp(outside)}
    return (
        _policy(
            workplan,
            defaults,
            "scheduler",
            ingress=[
                {"from": [worker, runner], "ports": _tcp((SCHEDULER_PORT, DASHBOARD_PORT))},
                {
                    "from": [
                        _namespace(defaults.dask_operator_namespace),
                        _namespace(defaults.operator_namespace),
                    ],
                    "ports": _tcp((SCHEDULER_PORT, DASHBOARD_PORT)),
                },
            ],
            egress=[workers, _dns()],
        ),
        _policy(
            workplan,
            defaults,
            "worker",
            ingress=[
                {
                    "from": [scheduler, worker, runner],
                    "ports": _ports_from(_FIRST_UNPRIVILEGED_PORT),
                }
            ],
            egress=[to_scheduler, workers, _dns(), to_outside],
        ),
        _policy(
            workplan,
            defaults,
            "runner",
            ingress=[],
            egress=[
                to_scheduler,
                workers,
                _dns(),
                {"ports": _tcp(sorted({*outside, *defaults.api_ports}))},
            ],
        ),
    )


def _policy(
    workplan: WorkPlanResource,
    defaults: Defaults,
    component: str,
    *,
    ingress: list[Manifest],
    egress: list[Manifest],
) -> Manifest:
    head = owned_object(
        workplan,
        NETWORK_POLICIES,
        f"{child_names.child_name(workplan)}-{component}",
        child_names.child_labels(workplan, component, defaults.version),
    )
    return head | {
        "spec": {
            "podSelector": _peer(workplan, component)["podSelector"],
            "policyTypes": ["Ingress", "Egress"],
            "ingress": ingress,
            "egress": egress,
        }
    }


def _peer(workplan: WorkPlanResource, component: str) -> Manifest:
    return {
        "podSelector": {
            "matchLabels": {
                LABEL_WORKPLAN: child_names.label_value(workplan.metadata.name),
                LABEL_COMPONENT: component,
            }
        }
    }


def _namespace(name: str) -> Manifest:
    return {"namespaceSelector": {"matchLabels": {_NAMESPACE_NAME: name}}}


def _tcp(ports: Iterable[int]) -> list[Manifest]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def _ports_from(first: int) -> list[Manifest]:
    return [{"protocol": "TCP", "port": first, "endPort": 65535}]


def _dns() -> Manifest:
    return {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}


def _store_ports(store: StoreTarget) -> set[int]:
    if not store.endpoint:
        return {443}
    address = urlsplit(store.endpoint)
    return {address.port or (80 if address.scheme == "http" else 443)}
