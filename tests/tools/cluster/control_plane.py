"""The control plane of the bare cluster: etcd, API server, controller manager, scheduler."""

import ssl
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tests.tools.cluster.kubeconfig import API_SERVER
from tests.tools.cluster.network import NODE_ADDRESS, POD_RANGE, SERVICE_RANGE

ETCD = "http://127.0.0.1:12379"
ETCD_PEER = "http://127.0.0.1:12380"
"""Not etcd's usual ports: the host may have an etcd of its own."""


@dataclass(frozen=True)
class ControlPlane:
    """Commands of the processes, given the folders of programs, data and certificates."""

    programs: Path
    data: Path
    pki: Path

    def etcd(self) -> list[str | Path]:
        """Keep the objects; without fsync, for what is here is not worth the waiting."""
        return [
            "etcd", "--name=node1", f"--data-dir={self.data / 'etcd'}", "--unsafe-no-fsync",
            f"--listen-client-urls={ETCD}", f"--advertise-client-urls={ETCD}",
            f"--listen-peer-urls={ETCD_PEER}", f"--initial-advertise-peer-urls={ETCD_PEER}",
            f"--initial-cluster=node1={ETCD_PEER}", "--log-level=warn",
            "--quota-backend-bytes=4294967296", "--auto-compaction-retention=10m",
        ]  # fmt: skip

    def api_server(self) -> list[str | Path]:
        """Serve the API on the node's address, with the checks that a real cluster has."""
        pki = self.pki
        return [
            self.programs / "kube-apiserver",
            f"--etcd-servers={ETCD}",
            f"--bind-address={NODE_ADDRESS}",
            f"--advertise-address={NODE_ADDRESS}",
            "--secure-port=6443",
            f"--service-cluster-ip-range={SERVICE_RANGE}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            f"--token-auth-file={pki / 'tokens.csv'}",
            f"--client-ca-file={pki / 'ca.crt'}",
            f"--tls-cert-file={pki / 'server.crt'}",
            f"--tls-private-key-file={pki / 'server.key'}",
            f"--service-account-key-file={pki / 'service-accounts.key'}",
            f"--service-account-signing-key-file={pki / 'service-accounts.key'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--kubelet-client-certificate={pki / 'kubelet-client.crt'}",
            f"--kubelet-client-key={pki / 'kubelet-client.key'}",
            f"--kubelet-certificate-authority={pki / 'ca.crt'}",
            # By address, so that logs and exec need no name of the node in /etc/hosts.
            "--kubelet-preferred-address-types=InternalIP",
        ]

    def controller_manager(self) -> list[str | Path]:
        """Run the controllers; the root CA file ends up in every pod's kube-root-ca.crt."""
        return [
            self.programs / "kube-controller-manager",
            f"--kubeconfig={self.pki / 'controller-manager.kubeconfig'}",
            f"--service-account-private-key-file={self.pki / 'service-accounts.key'}",
            f"--root-ca-file={self.pki / 'ca.crt'}",
            f"--cluster-signing-cert-file={self.pki / 'ca.crt'}",
            f"--cluster-signing-key-file={self.pki / 'ca.key'}",
            "--use-service-account-credentials",
            "--allocate-node-cidrs",
            f"--cluster-cidr={POD_RANGE}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
        ]

    def scheduler(self) -> list[str | Path]:
        """Place pods on the node."""
        return [
            self.programs / "kube-scheduler",
            f"--kubeconfig={self.pki / 'scheduler.kubeconfig'}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
        ]


def etcd_is_healthy() -> bool:
    """Return whether etcd answers."""
    return answers(f"{ETCD}/health")


def api_is_ready(pki: Path) -> bool:
    """Return whether the API server answers and has finished its start."""
    authority = pki / "ca.crt"
    if not authority.exists():
        return False
    return answers(f"{API_SERVER}/readyz", ssl.create_default_context(cafile=str(authority)))


def answers(url: str, context: ssl.SSLContext | None = None) -> bool:
    """Return whether a URL answers with status 200, never through a proxy."""
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if context is not None:
        handlers.append(urllib.request.HTTPSHandler(context=context))
    try:
        with urllib.request.build_opener(*handlers).open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False
