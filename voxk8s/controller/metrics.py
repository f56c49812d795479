"""The Prometheus metrics of the operator."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from voxk8s.api.status import Outcome, StoreCounts

_STORE_RESULTS = (
    "hits",
    "misses",
    "known",
    "unknown",
    "created",
    "existing",
    "nondeterministic",
    "corrupt",
    "healed",
)
_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


_OWN_KERNELS = 200
"""Kernels of other images that have metrics of their own."""
_OTHER = "other"
_LARGEST = 1e15
"""More than a run can count; a number without a bound would spoil the sum for good."""


class Metrics:
    """Counters of the reconciler and of finished runs, and gauges that are read when scraped."""

    def __init__(self, kernels: Callable[[], Iterable[str]] = tuple) -> None:
        """Create the counters at zero; `kernels` returns the names of those of this image."""
        self._kernels_here = kernels
        self._own_kernels: set[str] = set()
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "voxk8s_reconcile_seconds",
            "Time of one reconciliation of a WorkPlan.",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._errors = Counter(
            "voxk8s_reconcile_errors",
            "Reconciliations that failed and are retried.",
            registry=self.registry,
        )
        self._results = self._counter(
            "voxk8s_store_results",
            "Results that finished runs looked up, read or stored, by what came of it.",
            "result",
        )
        self._requests = self._counter(
            "voxk8s_store_requests", "Requests of finished runs to their stores."
        )
        self._retries = self._counter(
            "voxk8s_store_retries", "How often finished runs sent requests again."
        )
        self._bytes_read = self._counter(
            "voxk8s_store_read_bytes", "Bytes that finished runs read from their stores."
        )
        self._bytes_written = self._counter(
            "voxk8s_store_written_bytes", "Bytes that finished runs wrote to their stores."
        )
        self._kernel_operations = self._counter(
            "voxk8s_kernel_operations", "Operations of finished runs.", "kernel", "result"
        )
        self._kernel_seconds = self._counter(
            "voxk8s_kernel_seconds", "Seconds for which finished runs computed.", "kernel"
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    @contextmanager
    def reconciling(self) -> Iterator[None]:
        """Measure the duration of one reconciliation."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._seconds.observe(time.perf_counter() - start)

    def count_error(self) -> None:
        """Count a reconciliation that failed."""
        self._errors.inc()

    def count_run(self, outcome: Outcome) -> None:
        """Add what a finished run did at its store, and its work by kernel."""
        store = outcome.store or StoreCounts()
        for name in _STORE_RESULTS:
            self._results.labels(name).inc(_bounded(getattr(store, name)))
        self._requests.inc(_bounded(store.requests))
        self._retries.inc(_bounded(store.retries))
        self._bytes_read.inc(_bounded(store.bytes_read))
        self._bytes_written.inc(_bounded(store.bytes_written))
        for work in outcome.kernels or ():
            kernel = self._kernel(work.kernel)
            for name in ("computed", "found", "failed"):
                self._kernel_operations.labels(kernel, name).inc(_bounded(getattr(work, name)))
            self._kernel_seconds.labels(kernel).inc(_bounded(work.seconds))

    @cached_property
    def _known_kernels(self) -> frozenset[str]:
        return frozenset(self._kernels_here())

    def _kernel(self, name: str) -> str:
        """Return a kernel as a label: its name, or `other` when there are too many names.

        A runner may report any names, and a label stays in memory for good.
        """
        if name in self._own_kernels or name in self._known_kernels:
            return name
        if len(self._own_kernels) >= _OWN_KERNELS:
            return _OTHER
        self._own_kernels.add(name)
        return name

    def add_gauges(
        self,
        *,
        phases: Callable[[], Iterable[str]],
        queue_length: Callable[[], int],
        resolve_backlog: Callable[[], int],
        leading: Callable[[], bool],
    ) -> None:
        """Add gauges, each with the function that reads its value."""
        self.registry.register(_Gauges(phases, queue_length, resolve_backlog, leading))

    def text(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self.registry)


def _bounded(number: float) -> float:
    return min(number, _LARGEST) if number >= 0 else 0.0


@dataclass(eq=False)
class _Gauges(Collector):
    phases: Callable[[], Iterable[str]]
    queue_length: Callable[[], int]
    resolve_backlog: Callable[[], int]
    leading: Callable[[], bool]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        plans = GaugeMetricFamily("voxk8s_workplans", "WorkPlans by phase.", labels=["phase"])
        for phase, count in sorted(Tally(self.phases()).items()):
            plans.add_metric([phase], count)
        yield plans
        yield GaugeMetricFamily(
            "voxk8s_queue_length",
            "WorkPlans that wait for reconciliation.",
            value=self.queue_length(),
        )
        yield GaugeMetricFamily(
            "voxk8s_resolve_backlog",
            "Plans that wait for resolution.",
            value=self.resolve_backlog(),
        )
        yield GaugeMetricFamily(
            "voxk8s_leader", "1 if this replica is the leader.", value=self.leading()
        )
