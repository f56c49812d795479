"""Gets a process ready to look plans up: its bounds, its imports, and a warm_up_request."""

from __future__ import annotations

import logging
import resource
import threading

import msgspec

from voxk8s.cluster.plan_source import Document
from voxk8s.controller.resolve.resolve_plan import ResolveRequest, resolve_plan
from voxk8s.inputs.filesystems import preload_s3
from voxk8s.kernels import registry
from voxk8s.storage import StoreOptions

_log = logging.getLogger(__name__)
_STACK = 1024 * 1024
_NO_INPUT = "runs/warm_up_request.json"
"""Where a store holds nothing."""


def prepare(memory: int) -> None:
    """Get a process ready: bounded memory, and everything imported before the first plan."""
    # Stacks count as memory, too, and nothing here needs the usual eight megabytes.
    threading.stack_size(_STACK)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or memory < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (memory, hard))
    registry()
    preload_s3()


def warm_up(request: ResolveRequest | None) -> None:
    """Look a plan up that nobody waits for: what is done for the first time takes long."""
    if request is None:
        return
    try:
        resolve_plan(request)
    except Exception:  # noqa: BLE001 - whatever it is, the first user is told of it
        _log.info("the warm_up_request of a look-up failed", exc_info=True)


def warm_up_request(url: str, options: StoreOptions) -> ResolveRequest:
    """Make a plan to warm_up with: it asks the store, and for an input that is not there."""
    nodes = [
        {"id": "url", "type": "constant", "value": f"{url.rstrip('/')}/{_NO_INPUT}"},
        {"id": "input", "type": "operation", "operator": "load", "arguments": {"0": "url"}},
    ]
    goals = [{"operation": "print", "id": "input", "name": "input"}]
    return ResolveRequest(
        document=Document(msgspec.json.encode({"nodes": nodes, "goals": goals}), "json"),
        url=None,
        digest=None,
        parameters=None,
        cache="Use",
        saves_below=None,
        store_url=url,
        options=options,
        prefixes=(url,),
    )
