"""A scripted resolution, and pools whose processes are threads that run it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from voxk8s.cluster.plan_source import Document
from voxk8s.controller.resolve.process_pool import ProcessPool
from voxk8s.controller.resolve.resolution_state import Resolved, ResolveResult
from voxk8s.controller.resolve.resolve_request import ResolveRequest


def request(url: str = "s3://b/plan.json", size: int = 10) -> ResolveRequest:
    """Make a request; `url` identifies it."""
    document = Document(b"x" * size, "json")
    return ResolveRequest(document, url, None, None, "Use", None, "memory://x", None)


def thread_pool(processes: int = 1, warm_up_request: ResolveRequest | None = None) -> ProcessPool:
    """Make a pool with a thread in place of each process."""
    return ProcessPool(processes, 2**30, warm_up_request, lambda: ThreadPoolExecutor(1))


class Script:
    """Stands in for `resolve_plan` and `resolve_within`.

    Returns or raises the scripted results of each URL in order. Calls wait while `gate` is
    cleared; `seen` has their URLs.
    """

    def __init__(self) -> None:
        self.seen: list[str | None] = []
        self.results: dict[str | None, list[ResolveResult | BaseException | None]] = {}
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, asked: ResolveRequest, _: float | None = None) -> ResolveResult | None:
        self.seen.append(asked.url)
        self.gate.wait(5)
        results = self.results.get(asked.url) or [Resolved()]
        result = results.pop(0) if len(results) > 1 else results[0]
        if isinstance(result, BaseException):
            raise result
        return result
