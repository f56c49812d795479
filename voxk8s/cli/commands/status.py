"""`voxk8s status`: print the status of WorkPlans."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from functools import partial

from voxk8s.api.workplan import decode_resource, encode
from voxk8s.cli.connection import read_workplan, with_cluster
from voxk8s.cli.run_output import dump
from voxk8s.cli.workplan_text import details, table
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.resources import WORK_PLANS
from voxk8s.errors import InvalidUsage
from voxk8s.redact import redact, visible


def run(arguments: argparse.Namespace) -> int:
    """Print one WorkPlan in detail, or a table of all."""
    if arguments.name and arguments.all_namespaces:
        raise InvalidUsage("expected either NAME or -A, got both")
    return with_cluster(arguments, partial(_show, arguments))


async def _show(arguments: argparse.Namespace, kube: KubeClient, namespace: str) -> int:
    if arguments.name:
        resource = await read_workplan(kube, arguments.name, namespace)
        if arguments.json:
            print(dump(encode(resource)))
        else:
            lines = list(details(resource, datetime.now(UTC)))
            print("\n".join(visible(redact(line)) for line in lines))
        return 0
    where = None if arguments.all_namespaces else namespace
    listing = await kube.list(WORK_PLANS, where)
    resources = [decode_resource(item) for item in listing.items]
    if arguments.json:
        print(dump({"items": [encode(resource) for resource in resources]}))
    else:
        lines = table(resources, datetime.now(UTC), namespaces=where is None)
        print("\n".join(map(visible, lines)))
    return 0
