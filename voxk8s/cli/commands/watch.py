"""`voxk8s watch`: follow a WorkPlan to its end."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

from voxk8s.api.workplan import WorkPlanResource, decode_resource
from voxk8s.cli.commands.results import write
from voxk8s.cli.connection import exit_status, read_workplan, with_cluster
from voxk8s.cli.workplan_text import headline
from voxk8s.cluster.kube_client import KubeClient, ListPage, WatchEvent
from voxk8s.cluster.kube_errors import Expired, Forbidden
from voxk8s.cluster.reflector import WatchError, list_and_watch
from voxk8s.cluster.resources import WORK_PLANS
from voxk8s.errors import PermanentError, TransientError
from voxk8s.redact import redact, visible

_REFUSALS: Final = 3
"""So many in a row are no moment between two tokens: nobody would come and log in."""


class GaveUp(TransientError):
    """The WorkPlan did not finish in time, or was deleted."""


def run(arguments: argparse.Namespace) -> int:
    """Print every change on standard error, and the results at the end."""
    return with_cluster(arguments, partial(_watch, arguments))


async def follow(
    kube: KubeClient,
    name: str,
    namespace: str,
    *,
    tell: Callable[[str, WorkPlanResource], None],
    seconds: float | None = None,
) -> WorkPlanResource:
    """Wait until a WorkPlan is finished and return it; `tell` gets the headline of each change.

    Raises NotFound for one that is not there, what the API server refuses the watch with if it goes
    on, such as Forbidden, and GaveUp.
    """
    await read_workplan(kube, name, namespace)
    last, refused = "", 0
    try:
        async with asyncio.timeout(seconds):
            stream = list_and_watch(
                kube, WORK_PLANS, namespace, field_selector=f"metadata.name={name}"
            )
            async for notice in stream:
                match notice:
                    case ListPage(items=[]) | WatchEvent(type="DELETED"):
                        raise GaveUp(f"WorkPlan {name} was deleted")
                    case ListPage(items=[body]) | WatchEvent(object=body):
                        resource = decode_resource(body)
                    case WatchError(error=error) if not isinstance(error, Expired):
                        refused = (
                            refused + 1 if isinstance(error, Forbidden | PermanentError) else 0
                        )
                        if refused == _REFUSALS:
                            raise error
                        print(f"voxk8s: {visible(str(error))}; trying again", file=sys.stderr)
                        continue
                    case _:
                        continue
                refused = 0
                line = headline(resource, datetime.now(UTC))
                if line != last:
                    tell(visible(redact(line)), resource)
                last = line
                if resource.finished:
                    return resource
    except TimeoutError as error:
        raise GaveUp(f"WorkPlan {name} is not finished after {seconds:g} s: {last}") from error
    raise GaveUp(f"the watch of WorkPlan {name} ended unexpectedly")


def teller(*, quiet: bool) -> Callable[[str, WorkPlanResource], None]:
    """Return what prints headlines on standard error, or nothing if `quiet`."""
    return lambda line, _: None if quiet else print(line, file=sys.stderr)


async def _watch(arguments: argparse.Namespace, kube: KubeClient, namespace: str) -> int:
    resource = await follow(
        kube,
        arguments.name,
        namespace,
        tell=teller(quiet=bool(arguments.quiet)),
        seconds=arguments.timeout,
    )
    write(resource)
    return exit_status(resource)
