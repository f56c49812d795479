"""`voxk8s dashboard`: the Dask dashboard of a run, by a port-forward."""

from __future__ import annotations

import argparse
import asyncio
import sys
import webbrowser
from functools import partial

from voxk8s.cli.connection import read_workplan, with_cluster
from voxk8s.cluster.child_names import label_selector
from voxk8s.cluster.dask_cluster import DASHBOARD_PORT
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import Forbidden
from voxk8s.cluster.port_forward import PodPort, forward_port, is_ready
from voxk8s.cluster.resources import PODS
from voxk8s.constants import LABEL_COMPONENT
from voxk8s.errors import TransientError

_LOOK_SECONDS = 2.0


class NoDashboard(TransientError):
    """The run has no scheduler at the moment."""


def run(arguments: argparse.Namespace) -> int:
    """Forward the port until the run ends, or until Ctrl-C."""
    return with_cluster(arguments, partial(_show, arguments))


async def _show(arguments: argparse.Namespace, kube: KubeClient, namespace: str) -> int:
    resource = await read_workplan(kube, arguments.name, namespace)
    selector = f"{label_selector(resource)},{LABEL_COMPONENT}=scheduler"
    pod = await _scheduler(kube, namespace, selector)
    if pod is None:
        phase = resource.status.phase or "Pending"
        hint = (
            "; its report has the timeline: voxk8s report " + arguments.name
            if resource.finished
            else "; try again when it runs"
        )
        raise NoDashboard(f"WorkPlan {arguments.name} has no running scheduler ({phase}){hint}")
    try:
        async with forward_port(kube, PodPort(pod, namespace, DASHBOARD_PORT)) as address:
            url = f"http://{address}/status"
            print(url, flush=True)
            print("voxk8s: open until the run ends; Ctrl-C closes it", file=sys.stderr)
            if not arguments.no_browser:
                await asyncio.to_thread(webbrowser.open, url)
            while await _scheduler(kube, namespace, selector) == pod:  # noqa: ASYNC110 - no event
                await asyncio.sleep(_LOOK_SECONDS)
    except Forbidden as error:
        raise Forbidden(
            f"RBAC does not let you forward a port of pod {pod}: ask for the verbs get and create"
            f" on pods/portforward in namespace {namespace} (the role edit has them)",
            403,
        ) from error
    except TransientError as error:
        # A run may end between the look at its scheduler and the request.
        if await _scheduler(kube, namespace, selector) == pod:
            raise
        raise NoDashboard(f"the Dask cluster of {arguments.name} has just gone") from error
    print(f"voxk8s: the Dask cluster of {arguments.name} is gone", file=sys.stderr)
    return 0


async def _scheduler(kube: KubeClient, namespace: str, selector: str) -> str | None:
    """Return the name of the scheduler's pod, if it is ready."""
    pods = (await kube.list(PODS, namespace, label_selector=selector)).items
    return next((str(pod["metadata"]["name"]) for pod in pods if is_ready(pod)), None)
