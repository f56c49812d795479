"""What is installed into the cluster: the dask-kubernetes operator, an S3 server and voxk8s."""

import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from tests.support.paths import ROOT
from tests.tools.cluster import go_programs
from tests.tools.cluster.cache import digest_of, digest_of_files
from tests.tools.cluster.commands import run
from tests.tools.cluster.errors import ClusterError
from tests.tools.cluster.paths import KUBECONFIG, LOCAL
from tests.tools.cluster.progress import say, step

SYSTEM = "voxk8s-system"
DASK = "dask-operator"
DENIED = "voxk8s-denied"
"""A namespace that may not use the default store, for tests of that."""

TEAM, STRANGER, FRIEND = "voxk8s-team", "voxk8s-stranger", "voxk8s-friend"
"""Namespaces in trust domains of their own, of which the last trusts the first."""
DOMAINS = {
    "team": {"namespaces": [TEAM]},
    "stranger": {"namespaces": [STRANGER]},
    "friend": {"namespaces": [FRIEND], "trusts": ["team"]},
}

NO_REGISTRY = "voxk8s.invalid"
"""A registry that does not exist, whose images are allowed."""

BUCKET = "voxk8s"
MARK = "tests.voxk8s.io/installed"
"""Annotation of a release's namespace: what was installed there, as a hash of chart and values."""

WORKER = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "4Gi"}}
"""Small requests: several workers must find room on a laptop or a build machine."""

RESTRICTED = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/enforce-version": "latest",
}


@dataclass(frozen=True)
class Release:
    """A chart in a namespace with values."""

    name: str
    namespace: str
    chart: Path
    values: Mapping[str, Any]

    def digest(self) -> str:
        """Return the name of chart and values together."""
        files = [path for path in self.chart.rglob("*") if path.is_file()]
        return digest_of(
            digest_of_files(self.chart, files), json.dumps(self.values, sort_keys=True)
        )


def releases(images: Mapping[str, str]) -> list[Release]:
    """Return what is to be installed, in this order."""
    name, _, tag = images["DASK_OPERATOR_IMAGE"].rpartition(":")
    dask = {
        "image": {"name": name, "tag": tag},
        "podSecurityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        # Its own user 1000 has no entry in the image's passwd file, and kopf asks for one.
        "securityContext": {"runAsUser": 65532},
        # On a busy machine it must not starve, and when it hangs (it waits minutes for a scheduler
        # that went away) its probe should end that soon.
        "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}},
        "livenessProbe": {"timeoutSeconds": 10},
        "volumes": [{"name": "tmp", "emptyDir": {}}],
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    ours = {
        "image": {
            "operator": images["OPERATOR_IMAGE"],
            "engine": images["ENGINE_IMAGE"],
            # The image is built from the lock file of this environment.
            "libraries": {images["ENGINE_IMAGE"]: {"SimpleITK": metadata.version("SimpleITK")}},
        },
        "s3": {"enabled": True, "image": images["S3_IMAGE"], "bucket": BUCKET},
        "store": {
            "allowedNamespaces": ["*"],
            "deniedNamespaces": [DENIED],
            "trust": "shared",
            "domains": DOMAINS,
            "readableSecrets": ["keys"],
        },
        "policy": {
            "images": [f"{NO_REGISTRY}/*"],
            "tolerations": ["gpu"],
            "affinity": True,
        },
        "testKernels": {"enabled": True},
        "defaults": {"worker": {"resources": WORKER}},
        # Nodes are not added here, and more starts at a time only take each other's cores.
        "limits": {"noRoomSeconds": 15, "startsAtOnce": 3},
    }
    return [
        Release("dask-kubernetes-operator", DASK, dask_chart(), dask),
        Release("voxk8s", SYSTEM, ROOT / "helm" / "voxk8s", ours),
    ]


def dask_chart() -> Path:
    """Return the chart in the pinned wheel of dask-kubernetes, without importing the package."""
    found = importlib.util.find_spec("dask_kubernetes")
    if found is None or not found.submodule_search_locations:
        raise ClusterError("dask-kubernetes is not in the virtual environment: call `make venv`")
    package = Path(found.submodule_search_locations[0])
    return package / "operator" / "deployment" / "helm" / "dask-kubernetes-operator"


def install(wanted: Sequence[Release]) -> None:
    """Install or upgrade what is new or changed."""
    go_programs.link(go_programs.helm())
    there = installed()
    for release in wanted:
        if not release.chart.joinpath("Chart.yaml").exists():
            raise ClusterError(f"expected a chart at {release.chart}, found none")
        digest = release.digest()
        if there.get(release.namespace) == digest and release.name in deployed():
            continue
        with step(f"install {release.name}"):
            ensure_namespace(release.namespace)
            upgrade(release)
            kubectl("annotate", "--overwrite", "namespace", release.namespace, f"{MARK}={digest}")


def wait_all(wanted: Sequence[Release]) -> None:
    """Wait until all that was installed is ready."""
    with step("all of it is ready"):
        for release in wanted:
            wait_ready(release)
    say(f"installed: {', '.join(f'{release.name} in {release.namespace}' for release in wanted)}")


def uninstall() -> None:
    """Uninstall the releases; missing ones are ignored."""
    if not KUBECONFIG.exists():
        return
    for name, namespace in (("voxk8s", SYSTEM), ("dask-kubernetes-operator", DASK)):
        with step(f"uninstall {name}"):
            helm("uninstall", name, "--namespace", namespace, "--ignore-not-found", "--wait")


def upgrade(release: Release) -> None:
    """Install a release, or bring it to the wanted state after whatever came before."""
    forget_unfinished(release)
    values = LOCAL / f"{release.name}.values.yaml"
    values.write_text(yaml.safe_dump(dict(release.values)))
    # A person may have applied our CRD before: then it becomes the release's.
    ours = ("--take-ownership", "--force-conflicts")
    words = ("--namespace", release.namespace, "--values", values)
    helm("upgrade", "--install", *ours, release.name, release.chart, *words)


def forget_unfinished(release: Release) -> None:
    """Remove Helm's note that it is at work, left by a call that was killed; ours hold a lock."""
    states = "status in (pending-install,pending-upgrade,pending-rollback)"
    selector = f"owner=helm,name={release.name},{states}"
    kubectl("delete", "secrets", "-n", release.namespace, "-l", selector)


def installed() -> dict[str, str]:
    """Return the mark of what each namespace holds, for those that hold something of ours."""
    found = json.loads(kubectl("get", "namespaces", "-o", "json"))["items"]
    marks = {item["metadata"]["name"]: item["metadata"].get("annotations", {}) for item in found}
    return {name: notes[MARK] for name, notes in marks.items() if MARK in notes}


def deployed() -> set[str]:
    """Return the releases that Helm holds to be in place."""
    words = ("secrets", "-A", "-l", "owner=helm,status=deployed")
    return set(kubectl("get", *words, "-o", "jsonpath={.items[*].metadata.labels.name}").split())


def wait_ready(release: Release) -> None:
    """Wait until every pod of a release's workloads is ready, also after a restart."""
    selector = f"app.kubernetes.io/instance={release.name}"
    words = ("-n", release.namespace, "-l", selector, "-o", "json")
    for item in json.loads(kubectl("get", "deployments,statefulsets", *words))["items"]:
        wait_rolled_out(item)


def wait_rolled_out(workload: Mapping[str, Any]) -> None:
    """Wait until all pods of a workload, as the API gave it, are new and ready."""
    if is_rolled_out(workload):
        return
    kind, meta = workload["kind"].lower(), workload["metadata"]
    name, namespace = meta["name"], meta["namespace"]
    try:
        kubectl("rollout", "status", f"{kind}/{name}", "-n", namespace, "--timeout=120s")
    except ClusterError as error:
        pods = kubectl("get", "pods", "-n", namespace, "--no-headers").strip()
        raise ClusterError(
            f"{name} in {namespace} does not become ready: {error}\n{pods}"
        ) from error


def is_rolled_out(workload: Mapping[str, Any]) -> bool:
    """Return whether a workload needs no waiting: seen by its controller, and all pods ready."""
    status, wanted = workload.get("status", {}), workload["spec"].get("replicas", 1)
    counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    seen = bool(status.get("observedGeneration") == workload["metadata"].get("generation"))
    return seen and counts == [wanted] * 3


def ensure_namespace(name: str) -> None:
    """Create a namespace in which only restricted pods may run."""
    manifest = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": RESTRICTED},
    }
    words = ("apply", "--server-side", "--force-conflicts", "-f", "-")
    kubectl(*words, stdin=yaml.safe_dump(manifest))


def kubectl(*words: str, stdin: str | None = None) -> str:
    """Run kubectl on the cluster of this clone."""
    return run(
        [go_programs.kubectl(), "--kubeconfig", KUBECONFIG, *words], stdin=stdin, timeout=240
    )


def helm(*words: str | Path) -> str:
    """Run helm on the cluster of this clone."""
    return run([go_programs.helm(), "--kubeconfig", KUBECONFIG, *words], timeout=300)
