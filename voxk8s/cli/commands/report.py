"""`voxk8s report`: open the report of a run in the browser, or write it to a file."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from voxk8s.cli.browser import show_page
from voxk8s.cli.commands.results import read_report, write_page
from voxk8s.cli.connection import read_workplan, with_cluster
from voxk8s.cluster.kube_client import KubeClient


def run(arguments: argparse.Namespace) -> int:
    """Fetch the report and show it; the exit status is not that of the run."""
    return with_cluster(arguments, partial(_show, arguments))


async def _show(arguments: argparse.Namespace, kube: KubeClient, namespace: str) -> int:
    page = await read_report(kube, await read_workplan(kube, arguments.name, namespace))
    if arguments.output is None:
        show_page(page)
    else:
        write_page(Path(arguments.output), page)
        print(arguments.output)
    return 0
