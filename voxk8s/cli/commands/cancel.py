"""`voxk8s cancel`: suspend or delete a WorkPlan; its results are kept."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from voxk8s.cli.connection import read_workplan, with_cluster
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.resources import WORK_PLANS


def run(arguments: argparse.Namespace) -> int:
    """Suspend a WorkPlan, or delete it."""
    return with_cluster(arguments, partial(_cancel, arguments))


async def _cancel(arguments: argparse.Namespace, kube: KubeClient, namespace: str) -> int:
    name = arguments.name
    resource = await read_workplan(kube, name, namespace)
    if arguments.delete:
        await kube.delete(WORK_PLANS, name, namespace, uid=resource.metadata.uid)
        print(f"deleted WorkPlan {name}; its results are kept in the store", file=sys.stderr)
    elif resource.finished:
        print(f"WorkPlan {name} is finished: nothing to cancel", file=sys.stderr)
    else:
        await kube.patch(WORK_PLANS, name, {"spec": {"suspend": True}}, namespace)
        print(
            f"suspended WorkPlan {name}: its cluster is released and its results are kept."
            " Set spec.suspend to false to continue.",
            file=sys.stderr,
        )
    return 0
