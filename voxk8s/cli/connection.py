"""The connection of commands to a cluster: client, namespace, one WorkPlan."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import yaml

from voxk8s.api.conditions import find_condition
from voxk8s.api.workplan import WorkPlanResource, decode_resource
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import NotFound
from voxk8s.cluster.resources import WORK_PLANS
from voxk8s.constants import EXIT_EXPECTATION_FAILED, REASON_EXPECTATION_FAILED, SUCCEEDED

_POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")

Action = Callable[[KubeClient, str], Awaitable[int]]


def with_cluster(arguments: argparse.Namespace, action: Action) -> int:
    """Run an action with a client and the effective namespace; return its exit status."""

    async def connected() -> int:
        # Without a limit: each connection of a port-forward takes one.
        connecting = KubeClient.connect(os.environ, context=arguments.context, connections=0)
        async with await connecting as kube:
            namespace = namespace_of(arguments.namespace, arguments.context, os.environ)
            return await action(kube, namespace)

    return asyncio.run(connected())


def namespace_of(given: str | None, context: str | None, env: Mapping[str, str]) -> str:
    """Return the namespace: the given one, or that of the context, of the pod, or `default`.

    `context` is one of the kubeconfig; without it, its current one counts.
    """
    if given:
        return given
    named = env.get("KUBECONFIG", "").split(os.pathsep)[0]
    if not named and "KUBERNETES_SERVICE_HOST" in env:
        if not _POD_NAMESPACE.exists():
            return "default"
        return _POD_NAMESPACE.read_text(encoding="utf-8").strip()
    path = Path(named or Path(env.get("HOME", "/")) / ".kube" / "config")
    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return "default"  # connecting reports what is wrong with the file
    content = found if isinstance(found, dict) else {}
    current = context or content.get("current-context")
    for entry in content.get("contexts") or ():
        if entry.get("name") == current:
            return str((entry.get("context") or {}).get("namespace") or "default")
    return "default"


async def read_workplan(kube: KubeClient, name: str, namespace: str) -> WorkPlanResource:
    """Read one WorkPlan; raises NotFound."""
    try:
        return decode_resource(await kube.get(WORK_PLANS, name, namespace))
    except NotFound as error:
        raise NotFound(f"WorkPlan {name} not found in namespace {namespace}", 404) from error


def exit_status(resource: WorkPlanResource) -> int:
    """Return the exit status for a finished WorkPlan, as `voxk8s run` has it."""
    found = find_condition(resource.status.conditions, SUCCEEDED)
    if found is not None and found.status == "True":
        return 0
    unmet = found is not None and found.reason == REASON_EXPECTATION_FAILED
    return EXIT_EXPECTATION_FAILED if unmet else 1
