"""The Prometheus metrics of the operator."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counters of the reconciler, and gauges that are read when they are scraped."""

    def __init__(self) -> None:
        """Create the counters at zero."""
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
