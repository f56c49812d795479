"""`voxk8s results`: print the results of a WorkPlan, or fetch its files and its report."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

from voxk8s.api.workplan import WorkPlanResource, encode
from voxk8s.cli.abandonable import in_abandonable_thread
from voxk8s.cli.cluster_store import ClusterStore, with_store
from voxk8s.cli.connection import exit_status, read_workplan, with_cluster
from voxk8s.cli.fetch import fetch_blob
from voxk8s.cli.run_output import dump
from voxk8s.cli.transfer_line import TransferLine
from voxk8s.cli.workplan_text import headline, result_line
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.constants import RUN_FILE_BYTES, RUNS_PREFIX
from voxk8s.errors import InvalidUsage
from voxk8s.execution.files import write_file
from voxk8s.redact import redact, visible
from voxk8s.storage import ResultStore, open_root

T = TypeVar("T")
Open: TypeAlias = Callable[[str], ResultStore]
"""Opens the store at a URL."""

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
        if result.not_finite:
            _say(f"{name}: warning: {result.not_finite}")
    if status.results_omitted:
        _say(f"{name}: {status.results_omitted} more results are in {whole}")
    for each in status.skipped_items or ():
        _say(f"{name}: warning: {each.item} is skipped: {each.message}")
    for failure in status.failures or ():
        _say(f"{name}: {failure.message}")


async def _show(arguments: argparse.Namespace, kube: KubeClient, namespace: str) -> int:
    resource = await read_workplan(kube, arguments.name, namespace)
    write(resource, as_json=arguments.json)
    if not resource.finished:
        line = headline(resource, datetime.now(UTC))
        _say(f"{arguments.name} is not finished: {visible(redact(line))}")
    elif arguments.download:
        await download(kube, resource, Path(arguments.download), quiet=bool(arguments.quiet))
    if arguments.report and (resource.finished or resource.status.report is not None):
        target = Path(arguments.report)
        write_page(target, await read_report(kube, resource))
        _say(f"wrote {target}")
    return exit_status(resource) if resource.finished else 1


async def download(
    kube: KubeClient,
    resource: WorkPlanResource,
    folder: Path,
    *,
    quiet: bool = False,
    goals: Collection[str] | None = None,
) -> None:
    """Fetch saved files of a WorkPlan from its store into a folder, and verify their digests.

    All of them, or those of some goals.

    Raises InvalidUsage for a name outside of the folder, for a hidden one, such as .git/config, and
    for a URL that is not a blob.
    """
    found = saved_files(resource, folder, goals)
    if not found:
        _say(f"{resource.metadata.name} has saved no files")
        return

    async def fetch(open_at: Open) -> None:
        await in_abandonable_thread(partial(_fetch, open_at, found, quiet))

    await _with_store_of(kube, resource, found[0][1]["store"], fetch)


def saved_files(
    resource: WorkPlanResource, folder: Path, goals: Collection[str] | None = None
) -> list[tuple[Path, re.Match[str]]]:
    """Return where saved files go, and the parts of their URLs; raises InvalidUsage."""
    base = folder.resolve()
    found: list[tuple[Path, re.Match[str]]] = []
    for result in resource.status.results or ():
        if result.kind != "save" or not result.url:
            continue
        if goals is not None and result.goal not in goals:
            continue
        if "\0" in result.goal:
            raise InvalidUsage(f"expected a file name, got {result.goal!r}")
        target = (base / result.goal).resolve()
        if not target.is_relative_to(base) or target == base:
            raise InvalidUsage(f"expected a file name inside of {folder}, got {result.goal!r}")
        if any(part.startswith(".") for part in target.relative_to(base).parts):
            raise InvalidUsage(f"expected a file name that is not hidden, got {result.goal!r}")
        match = _BLOB.fullmatch(result.url)
        if match is None:
            raise InvalidUsage(f"expected the URL of a blob in a result store, got {result.url}")
        found.append((target, match))
    return found


def _fetch(open_at: Open, found: list[tuple[Path, re.Match[str]]], quiet: bool) -> None:
    stores = {root: open_at(root) for root in dict.fromkeys(match["store"] for _, match in found)}
    wanted = [
        (path, stores[match["store"]], match["start"] + match["rest"]) for path, match in found
    ]
    total = sum(store.blob_size(digest) or 0 for _, store, digest in wanted)
    line = TransferLine(sys.stderr, total, live=sys.stderr.isatty(), quiet=quiet)
    try:
        for path, store, digest in wanted:
            is_new = fetch_blob(store, digest, path, line.add)
            line.done(f"wrote {path}" if is_new else f"{path} is there already")
    finally:
        line.clear()


def write_page(target: Path, page: bytes) -> None:
    """Write a report to a file; raises InvalidUsage."""
    try:
        write_file(target, page)
    except OSError as error:
        raise InvalidUsage(f"cannot write {target}: {error.strerror or error}") from error


async def read_report(kube: KubeClient, resource: WorkPlanResource) -> bytes:
    """Fetch the report of a run from its store.

    Raises InvalidUsage if there is none: a run that computes nothing has no runner to write one. A
    run that was suspended or stopped has a partial one.
    """
    name = resource.metadata.name
    url = (resource.status.report.url if resource.status.report else None) or ""
    if _RUN_FILE.fullmatch(url) is None:
        why = _why_no_report(resource) if not url else f"{url} is not a file of a run"
        raise InvalidUsage(f"{name} has no report: {why}")
    page = await read_run_file(kube, resource, url)
    if page is None:
        raise InvalidUsage(f"the report of {name} was deleted: {url}")
    if len(page) > RUN_FILE_BYTES:
        raise InvalidUsage(
            f"the report of {name} has more than {RUN_FILE_BYTES // 10**6} MB: no run has written"
            f" such a file to {url}"
        )
    return page


def _why_no_report(resource: WorkPlanResource) -> str:
    if not resource.finished:
        return "it is written at the end of the run, and when the run is suspended"
    succeeded = resource.status.phase == "Succeeded"
    return "all its results were known" if succeeded else "the run ended without writing one"


async def read_run_file(kube: KubeClient, resource: WorkPlanResource, url: str) -> bytes | None:
    """Read a file of a run from its store; None if it is not there, or is none of a run."""
    match = _RUN_FILE.fullmatch(url)
    if match is None:
        return None
    root, path = match["store"], match["path"]

    async def read(open_at: Open) -> bytes | None:
        return await in_abandonable_thread(
            partial(open_at(root).read_run_file, path, most=RUN_FILE_BYTES)
        )

    return await _with_store_of(kube, resource, root, read)


async def _with_store_of(
    kube: KubeClient,
    resource: WorkPlanResource,
    root: str,
    work: Callable[[Open], Awaitable[T]],
) -> T:
    """Give `work` what opens the stores of results, with the rights of the user."""
    if not root.startswith("s3://"):
        return await work(open_root)  # a folder, in tests and on single machines

    def with_keys(store: ClusterStore) -> Awaitable[T]:
        return work(store.open)

    namespace = resource.metadata.namespace
    return await with_store(kube, namespace, with_keys, resource.spec.store)


def _say(message: str) -> None:
    print(f"voxk8s: {visible(redact(message))}", file=sys.stderr)
