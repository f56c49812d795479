"""NetworkPolicies of the pods of a run."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import TypeAlias
from urllib.parse import urlsplit

from voxk8s.api.workplan import WorkPlanResource
from voxk8s.cluster import child_names
from voxk8s.cluster.dask_cluster import DASHBOARD_PORT, SCHEDULER_PORT
from voxk8s.cluster.defaults import Defaults
from voxk8s.cluster.pod_template import Manifest, owned_object
from voxk8s.cluster.resources import NETWORK_POLICIES
from voxk8s.cluster.store_target import StoreTarget
from voxk8s.constants import LABEL_COMPONENT, LABEL_WORKPLAN
from voxk8s.inputs.addresses import METADATA_NETWORKS, PRIVATE_NETWORKS

_NAMESPACE_NAME = "kubernetes.io/metadata.name"
_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
_FIRST_UNPRIVILEGED_PORT = 1024
"""Workers listen on a port that the operating system chooses."""


def build_network_policies(
    workplan: WorkPlanResource, defaults: Defaults, store: StoreTarget
) -> tuple[Manifest, ...]:
    """Build a policy for each component; together they restrict all traffic of a run's pods.

    Scheduler, workers and runner of a run may connect to each other. Besides, the dask-kubernetes
    operator may connect to the scheduler's HTTP port, which asks for no key and which nobody else
    reaches; people come by the API server, which forwards it. All pods may connect to DNS, workers
    and runner to the store and to inputs, and the runner to the API server, whose address is not
    known.
    Inputs, and stores that a WorkPlan names, are at public addresses or at those that the chart
    allows: a plan must not reach services of the cluster or the metadata of its cloud. Returns no
    policies if the chart disables them.
    """
    if not defaults.network_policies:
        return ()
    scheduler, worker, runner = (
        _peer(workplan, component) for component in ("scheduler", "worker", "runner")
    )
    workers = {"to": [worker], "ports": _ports_from(_FIRST_UNPRIVILEGED_PORT)}
    to_scheduler = {"to": [scheduler], "ports": _tcp((SCHEDULER_PORT,))}
    to_outside = [
        {"to": _public(defaults), "ports": _tcp(sorted(defaults.input_ports))},
        _to_store(store, defaults),
    ]
    return (
        _policy(
            workplan,
            defaults,
            "scheduler",
            ingress=[
                {"from": [worker, runner], "ports": _tcp((SCHEDULER_PORT,))},
                {
                    "from": [_namespace(defaults.dask_operator_namespace)],
                    "ports": _tcp((DASHBOARD_PORT,)),
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
            egress=[to_scheduler, workers, _dns(), *to_outside],
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
                *to_outside,
                {"ports": _tcp(sorted(defaults.api_ports))},
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
    """Rules apply to the ports of pods: those of CoreDNS, and of OpenShift's DNS."""
    return {
        "ports": [
            {"protocol": protocol, "port": port}
            for port in (53, 5353)
            for protocol in ("UDP", "TCP")
        ]
    }


def _to_store(store: StoreTarget, defaults: Defaults) -> Manifest:
    """Build the rule for the store: the chart's wherever it is, another at a public address."""
    address = urlsplit(store.endpoint or "https://s3.amazonaws.com")
    port = address.port or (80 if address.scheme == "http" else 443)
    if not store.default:
        return {"to": _public(defaults), "ports": _tcp([port])}
    namespace = _service_namespace(address.hostname or "")
    if namespace:
        # A Service may have another port than its pods, to which the rule applies.
        return {"to": [_namespace(namespace)], "ports": _ports_from(1)}
    if not store.endpoint:
        return {"to": _public(defaults), "ports": _tcp([port])}
    return {"to": _blocks(METADATA_NETWORKS), "ports": _tcp([port])}


def _service_namespace(host: str) -> str:
    """Return the namespace of a Service by its name in the cluster's DNS; empty for other names."""
    found = re.fullmatch(r"[a-z0-9-]+\.([a-z0-9-]+)\.svc(\..*)?", host)
    return found[1] if found else ""


def _public(defaults: Defaults) -> list[Manifest]:
    """Build the peers of inputs: all but the blocked addresses, and those allowed in addition."""
    blocked = dict.fromkeys((*PRIVATE_NETWORKS, *METADATA_NETWORKS, *defaults.blocked_cidrs))
    return [*_blocks(blocked), *_blocks(METADATA_NETWORKS, defaults.allowed_cidrs)]


def _blocks(
    blocked: Iterable[str], within: Iterable[str] = ("0.0.0.0/0", "::/0")
) -> list[Manifest]:
    """Build the peers of all addresses, or those `within` networks, but the blocked ones."""
    networks = [ipaddress.ip_network(cidr, strict=False) for cidr in blocked]
    peers: list[Manifest] = []
    for cidr in within:
        whole = ipaddress.ip_network(cidr, strict=False)
        same = [network for network in networks if network.version == whole.version]
        if any(_contains(network, whole) for network in same):
            continue
        excepted = [str(network) for network in same if _contains(whole, network)]
        peers.append({"ipBlock": {"cidr": cidr, **({"except": excepted} if excepted else {})}})
    return peers


def _contains(one: _Network, other: _Network) -> bool:
    """Whether a network contains another one, or is the same, of the same version of IP."""
    return one.prefixlen <= other.prefixlen and other.network_address in one
