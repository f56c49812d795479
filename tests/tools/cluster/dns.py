"""The name service of the bare cluster: CoreDNS as a process on the node's address."""

from pathlib import Path

from tests.tools.cluster.network import DNS_SERVICE, NODE_ADDRESS

RESOLVER = Path("/etc/resolv.conf")


def command(programs: Path, data: Path, pki: Path) -> list[str | Path]:
    """Write CoreDNS's configuration and return its command."""
    path = data / "Corefile"
    path.write_text(corefile(pki / "dns.kubeconfig", RESOLVER.exists()))
    return [programs / "coredns", "-conf", path]


def corefile(kubeconfig: Path, forward: bool) -> str:
    """Return the configuration; other names go to the host's resolver where it has one.

    That a name of the cluster does not exist is never remembered: it may be created by now.
    """
    outside = f"    forward . {RESOLVER}\n" if forward else ""
    return f"""\
.:53 {{
    bind {NODE_ADDRESS}
    errors
    ready {NODE_ADDRESS}:8181
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
        kubeconfig {kubeconfig}
        ttl 5
    }}
{outside}    cache 5 {{
        disable denial cluster.local
    }}
}}
"""


def manifests() -> list[dict[str, object]]:
    """Return the Service that pods ask, its address on the node, and CoreDNS's rights."""
    meta = {"name": "kube-dns", "namespace": "kube-system"}
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]
    rules = [
        {
            "apiGroups": [""],
            "resources": ["endpoints", "services", "pods", "namespaces"],
            "verbs": ["list", "watch"],
        },
        {
            "apiGroups": ["discovery.k8s.io"],
            "resources": ["endpointslices"],
            "verbs": ["list", "watch"],
        },
    ]
    rbac = "rbac.authorization.k8s.io"
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta,
            "spec": {"clusterIP": DNS_SERVICE, "ports": ports},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": meta | {"labels": {"kubernetes.io/service-name": "kube-dns"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [NODE_ADDRESS], "conditions": {"ready": True}}],
            "ports": ports,
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "system:coredns"},
            "rules": rules,
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "system:coredns"},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "system:coredns"},
            "subjects": [{"apiGroup": rbac, "kind": "User", "name": "system:coredns"}],
        },
    ]
