"""The files that a run has read, for its report: by name and digest, never by a whole address."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from voxk8s import report
from voxk8s.describe import describe_geometry
from voxk8s.errors import StoreError
from voxk8s.execution.result import ExecutionResult
from voxk8s.history.scans import Scans
from voxk8s.plan import KeyOperation, ResultKey
from voxk8s.plan.signature import Role
from voxk8s.storage import ResultStore

_log = logging.getLogger(__name__)
_MOST: Final = 1000
_NOT_READ: Final = "not read again: what is computed from it was known"


def input_files(
    result: ExecutionResult, store: ResultStore, scans: Scans
) -> tuple[report.InputFile, ...]:
    """Return the inputs of a run in its order; those that could not be read have no digest.

    Their content is known if the run has loaded them, `scans` has read them for a picture, the
    store has a record, or they are on this machine, by their headers.
    """
    graph = result.graph
    if graph is None:
        return ()
    loads = [
        node
        for node in graph.nodes.values()
        if isinstance(node, KeyOperation) and node.pin is not None
    ]
    contents = _summaries(store, [each.key for each in loads if each.role is Role.LOAD][:_MOST])
    found: dict[str, report.InputFile] = {}
    for node in loads:
        if node.pin is None or node.pin.url in found:
            continue
        pin = node.pin
        image = scans.read_before(pin.url)
        metrics = result.by_key.get(node.key)
        content = contents.get(node.key, "") if metrics is None else metrics.geometry
        if image is not None:
            content = describe_geometry(image)
        content = content or contents.get(node.key, "")
        if pin.entries is not None:
            content = f"folder of {len(pin.entries)} files"
        is_unread = image is None and (metrics is None or metrics.cached)
        if is_unread and node.role is Role.LOAD:
            content = scans.header(pin.url, content) or _NOT_READ
        found[pin.url] = report.InputFile(_name(pin.url), pin.digest, pin.size, content)
    for ref in graph.unpinned.values():
        address = ref.arguments[0] if ref.arguments else ""
        if isinstance(address, str):
            found.setdefault(address, report.InputFile(_name(address), content="not read"))
    return tuple(found.values())


def _summaries(store: ResultStore, keys: list[ResultKey]) -> Mapping[ResultKey, str]:
    try:
        records = store.records(keys)
    except StoreError as error:
        _log.info("the report lacks the geometry of inputs: %s", error)
        return {}
    return {ResultKey(key): record.summary or "" for key, record in records.items()}


def _name(url: str) -> str:
    """Return the last part of an address, without a query."""
    path = url.partition("?")[0] if "://" in url else url
    return path.rstrip("/").rpartition("/")[2] or path
