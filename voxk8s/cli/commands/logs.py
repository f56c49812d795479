"""`voxk8s logs`: print the logs of the pods of a WorkPlan."""

from __future__ import annotations

import argparse
import asyncio
from functools import partial

from voxk8s.cli.connection import read_workplan, with_cluster
from voxk8s.cluster.child_names import label_selector
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import Invalid, NotFound
from voxk8s.cluster.resources import PODS
from voxk8s.constants import LABEL_COMPONENT
from voxk8s.errors import TransientError
from voxk8s.redact import visible


class NoPods(TransientError):
    """The WorkPlan has no pod of this component."""


def run(arguments: argparse.Namespace) -> int:
    """Print the logs of one component, oldest pod first."""
    return with_cluster(arguments, partial(_show, arguments))


async def _show(arguments: argparse.Namespace, kube: KubeClient, namespace: str) -> int:
    resource = await read_workplan(kube, arguments.name, namespace)
    labels = f"{label_selector(resource)},{LABEL_COMPONENT}={arguments.component}"
    pods = (await kube.list(PODS, namespace, label_selector=labels)).items
    if not pods:
        raise NoPods(
            f"WorkPlan {arguments.name} has no {arguments.component} pod"
            f" (status: {resource.status.phase or 'Pending'})"
        )
    pods.sort(key=lambda pod: str(pod["metadata"].get("creationTimestamp")))
    names = [str(pod["metadata"]["name"]) for pod in pods]
    if arguments.follow:
        await asyncio.gather(
            *(_follow(kube, name, namespace, many=len(names) > 1) for name in names)
        )
        return 0
    for name in names:
        if len(names) > 1:
            print(f"==> {name} <==")
        try:
            print(visible(await kube.logs(name, namespace, lines=arguments.tail)), end="")
        except (Invalid, NotFound) as error:
            print(f"({error})")  # the pod has not started, or was deleted
    return 0


async def _follow(kube: KubeClient, name: str, namespace: str, *, many: bool) -> None:
    start = f"{name}: " if many else ""
    async for line in kube.follow_logs(name, namespace):
        print(f"{start}{visible(line)}", flush=True)
