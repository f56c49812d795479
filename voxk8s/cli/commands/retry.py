"""`voxk8s retry`: run a finished WorkPlan again; what is in the store is not computed again."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from functools import partial

from voxk8s.cli.connection import read_workplan, with_cluster
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.resources import WORK_PLANS
from voxk8s.constants import ANNOTATION_RETRY


def run(arguments: argparse.Namespace) -> int:
    """Ask for another run of a WorkPlan by its annotation; exit status 1 if it is not finished."""
    return with_cluster(arguments, partial(_retry, arguments))


async def _retry(arguments: argparse.Namespace, kube: KubeClient, namespace: str) -> int:
    name = arguments.name
    resource = await read_workplan(kube, name, namespace)
    if resource.status.completion_time is None:
        phase = resource.status.phase or "Pending"
        print(f"WorkPlan {name} is not finished ({phase}): nothing to retry", file=sys.stderr)
        return 1
    token = datetime.now(UTC).isoformat(timespec="milliseconds")
    annotations = {"metadata": {"annotations": {ANNOTATION_RETRY: token}}}
    await kube.patch(WORK_PLANS, name, annotations, namespace)
    print(f"WorkPlan {name} runs again; see voxk8s watch {name}", file=sys.stderr)
    return 0
