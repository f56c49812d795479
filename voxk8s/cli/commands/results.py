"""`voxk8s results`: print the results of a WorkPlan, or fetch its files and its report."""

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from voxk8s.api.status import GoalResult
from voxk8s.api.workplan import WorkPlanResource, encode
from voxk8s.cli.connection import exit_status, read_workplan, with_cluster
from voxk8s.cli.run_output import dump
from voxk8s.cli.workplan_text import headline, result_line
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.constants import RUNS_PREFIX
from voxk8s.errors import InvalidUsage
from voxk8s.redact import redact, visible

# Whoever can write the status must not choose a server that gets other credentials of the user.
_BLOB = re.compile(
    r"(?P<store>(?:s3|file)://.+)/cas/sha256/(?P<start>[0-9a-f]{2})/(?P<rest>[0-9a-f]{62})"
)
_RUN_FILE = re.compile(rf"(?P<store>(?:s3|file)://[^?#]+?)/{RUNS_PREFIX}/(?P<path>[^?#]+)")


def run(arguments: argparse.Namespace) -> int:
    """Print the results; return 1 if the WorkPlan failed or is not finished."""
    return with_cluster(arguments, partial(_show, arguments))


def write(resource: WorkPlanResource, *, as_json: bool = False) -> None:
    """Print the results of a WorkPlan, and on standard error what is missing."""
    status = resource.status
    results = status.results or ()
    if as_json:
        print(dump({"results": [encode(result) for result in results]}))
    else:
        for result in results:
            print(visible(result_line(result)))
    name = resource.metadata.name
    whole = f"{status.run_url}/results.json"
    for result in results:
        if result.truncated:
            _say(f"{name}: the value of {result.goal} is truncated; the whole value is in {whole}")
    if status.results_omitted:
        _say(f"{name}: {status.results_omitted} more results are in {whole}")
    for failure in status.failures or ():
        _say(f"{name}: {failure.message}")


async def _show(arguments: argparse.Namespace, kube: KubeClient, namespace: str) -> int:
    resource = await read_workplan(kube, arguments.name, namespace)
    write(resource, as_json=arguments.json)
    if not resource.finished:
        line = headline(resource, datetime.now(UTC))
        _say(f"{arguments.name} is not finished: {visible(redact(line))}")
        return 1
    if arguments.download:
        download(resource.status.results or (), Path(arguments.download))
    if arguments.report:
        fetch_report(resource, Path(arguments.report))
    return exit_status(resource)


def download(results: tuple[GoalResult, ...], folder: Path) -> None:
    """Fetch saved files from the store with the AWS_* variables, and verify their digests.

    Raises InvalidUsage for a name outside of the folder, for a hidden one, such as .git/config, and
    for a URL that is not a blob.
    """
    from voxk8s.storage import open_root

    base = folder.resolve()
    for result in results:
        if result.kind != "save" or not result.url:
            continue
        target = (base / result.goal).resolve()
        if not target.is_relative_to(base) or target == base:
            raise InvalidUsage(f"expected a file name inside of {folder}, got {result.goal!r}")
        if any(part.startswith(".") for part in target.relative_to(base).parts):
            raise InvalidUsage(f"expected a file name that is not hidden, got {result.goal!r}")
        match = _BLOB.fullmatch(result.url)
        if match is None:
            raise InvalidUsage(f"expected the URL of a blob in a result store, got {result.url}")
        data = open_root(match["store"]).read_blob(match["start"] + match["rest"])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        _say(f"wrote {target}")


def fetch_report(resource: WorkPlanResource, target: Path) -> None:
    """Fetch the report of a run from the store with the AWS_* variables.

    Raises InvalidUsage if there is none: a run that computes nothing has no runner to write one.
    """
    from voxk8s.storage import open_root

    name = resource.metadata.name
    url = (resource.status.report.url if resource.status.report else None) or ""
    match = _RUN_FILE.fullmatch(url)
    if match is None:
        why = "all its results were known" if not url else f"{url} is not a file of a run"
        raise InvalidUsage(f"{name} has no report: {why}")
    page = open_root(match["store"]).read_run_file(match["path"])
    if page is None:
        raise InvalidUsage(f"the report of {name} was deleted: {url}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(page)
    _say(f"wrote {target}")


def _say(message: str) -> None:
    print(f"voxk8s: {visible(redact(message))}", file=sys.stderr)
