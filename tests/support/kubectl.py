"""kubectl, as a user calls it: every end-to-end test speaks to the cluster through it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from tests.support.paths import ROOT

Manifest: TypeAlias = Mapping[str, Any]

KUBECONFIG = ROOT / ".cluster" / "kubeconfig"
RESTRICTED = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/enforce-version": "latest",
}


class KubectlError(AssertionError):
    """kubectl ended with an error; the message is what it said."""


@dataclass(frozen=True)
class Kubectl:
    """One cluster, one namespace."""

    binary: str
    kubeconfig: Path
    namespace: str = "default"

    def within(self, namespace: str) -> Kubectl:
        """Return the same cluster with another namespace."""
        return Kubectl(self.binary, self.kubeconfig, namespace)

    def run(self, *words: str, stdin: str | None = None, timeout: float = 150) -> str:
        """Run kubectl in the namespace and give what it prints; raises KubectlError."""
        done = subprocess.run(
            [self.binary, "--kubeconfig", str(self.kubeconfig), "-n", self.namespace, *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode != 0:
            raise KubectlError(f"kubectl {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def apply(self, *manifests: Manifest) -> None:
        """Apply manifests server-side, as `kubectl apply --server-side -f -`."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)})
        self.run("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=text)

    def make_namespace(self, name: str) -> None:
        """Create a namespace with Pod Security `restricted`, once an older one is deleted."""
        found = self.run("get", "namespace", name, "-o", "json", "--ignore-not-found")
        if found and json.loads(found)["metadata"].get("deletionTimestamp"):
            self.run("wait", "--for=delete", "namespace", name, "--timeout=110s")
        self.apply(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": name, "labels": RESTRICTED},
            }
        )

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """Return one object; raises KubectlError when there is none."""
        found: dict[str, Any] = json.loads(self.run("get", kind, name, "-o", "json"))
        return found

    def items(self, kind: str, selector: str = "") -> list[dict[str, Any]]:
        """Return all objects of a kind that match a label selector; none for an unknown kind."""
        words = ["get", kind, "-o", "json", "--ignore-not-found"]
        if selector:
            words += ["-l", selector]
        text = self.run(*words)
        found: list[dict[str, Any]] = json.loads(text)["items"] if text.strip() else []
        return found

    def delete(self, kind: str, name: str, *words: str) -> None:
        """Delete one object and wait until it is gone."""
        self.run("delete", kind, name, "--ignore-not-found", *words)


def connect(namespace: str = "default") -> Kubectl:
    """Return the test cluster; raise AssertionError with how to start it if there is none."""
    assert KUBECONFIG.exists(), "no test cluster: run `make cluster-up images install` first"
    binary = os.environ.get("KUBECTL") or _pinned() or shutil.which("kubectl")
    assert binary, "kubectl not found: run `make tools`"
    return Kubectl(binary, KUBECONFIG, namespace)


def _pinned() -> str | None:
    link = ROOT / ".tools" / "bin" / "kubectl"
    return str(link) if link.exists() else None


def cluster_env() -> dict[str, str]:
    """Read `.cluster/env`: the address and keys of the test cluster's store."""
    lines = (ROOT / ".cluster" / "env").read_text().splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name: _unquoted(value) for name, _, value in pairs}


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text
