"""Who may speak to the API server of the bare cluster: tokens and kubeconfig files."""

import os
import secrets
from base64 import b64encode
from pathlib import Path

import yaml

from tests.tools.cluster.network import NODE, NODE_ADDRESS

API_SERVER = f"https://{NODE_ADDRESS}:6443"

USERS = {
    "admin": ("admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "proxy": ("system:kube-proxy", ""),
    "dns": ("system:coredns", ""),
    "kubelet": (f"system:node:{NODE}", "system:nodes"),
}
"""User and group names that Kubernetes' built-in roles are bound to."""


def ensure(folder: Path) -> None:
    """Create `tokens.csv` and one kubeconfig a user in the folder of the certificates."""
    tokens = folder / "tokens.csv"
    if tokens.exists():
        return
    authority = (folder / "ca.crt").read_bytes()
    lines = []
    for name, (user, group) in USERS.items():
        token = secrets.token_hex(24)
        lines.append(f'{token},{user},{name},"{group}"')
        write_private(folder / f"{name}.kubeconfig", render(token, authority))
    # Last: with this file present everything is.
    write_private(tokens, "".join(f"{line}\n" for line in lines))


def render(token: str, authority: bytes) -> str:
    """Return a kubeconfig for one user."""
    cluster = {
        "server": API_SERVER,
        "certificate-authority-data": b64encode(authority).decode(),
    }
    return yaml.safe_dump({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "voxk8s", "cluster": cluster}],
        "users": [{"name": "voxk8s", "user": {"token": token}}],
        "contexts": [{"name": "voxk8s", "context": {"cluster": "voxk8s", "user": "voxk8s"}}],
        "current-context": "voxk8s",
    })  # fmt: skip


def write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(text)
    os.replace(fresh, path)
