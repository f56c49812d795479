"""Storage of the bare cluster: a default class and a few folders of the node as volumes.

A claim without a class is bound to one of them, as on clusters that provision volumes.
"""

import shutil
from pathlib import Path
from typing import Any

from tests.tools.cluster.network import NODE

COUNT = 4
SIZE = "50Gi"
CLASS = "standard"


def folders(data: Path) -> dict[str, Path]:
    """Return the volumes' names and folders."""
    return {f"node-{number}": data / "volumes" / str(number) for number in range(1, COUNT + 1)}


def create(data: Path) -> None:
    """Create the folders; any user of a pod may write there."""
    for folder in folders(data).values():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)


def empty(data: Path, name: str) -> None:
    """Delete what a volume holds."""
    shutil.rmtree(folders(data)[name])
    create(data)


def released(found: list[dict[str, Any]]) -> list[str]:
    """Return the names of those volumes, as the API gives them, that no claim needs any more."""
    return [
        volume["metadata"]["name"]
        for volume in found
        if volume["spec"].get("storageClassName") == CLASS
        and volume.get("status", {}).get("phase") == "Released"
    ]


def manifests(data: Path) -> list[dict[str, object]]:
    """Return the storage class and the volumes."""
    storage_class: dict[str, object] = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Retain",
    }
    return [storage_class, *(volume(name, path) for name, path in folders(data).items())]


def volume(name: str, path: Path) -> dict[str, object]:
    """Return one volume."""
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "storageClassName": CLASS,
            "capacity": {"storage": SIZE},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "local": {"path": str(path)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }
