"""What the operator counts, for Prometheus."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counters of the loop, and gauges that are read when they are asked for."""

    def __init__(self) -> None:
        """Start from zero."""
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "voxk8s_reconcile_seconds",
            "Time of one reconciliation of a WorkPlan.",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._errors = Counter(
            "voxk8s_reconcile_errors",
            "Reconciliations that failed and were tried again.",
            registry=self.registry,
        )

    @contextmanager
    def reconciling(self) -> Iterator[None]:
        """Measure one reconciliation."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._seconds.observe(time.perf_counter() - start)

    def failed(self) -> None:
        """Count a reconciliation that is tried again."""
        self._errors.inc()

    def watch(
        self,
        *,
        phases: Callable[[], Iterable[str]],
        queued: Callable[[], int],
        resolving: Callable[[], int],
        leading: Callable[[], bool],
    ) -> None:
        """Add gauges of the operator's state."""
        self.registry.register(_State(phases, queued, resolving, leading))

    def text(self) -> bytes:
        """Give all metrics as Prometheus reads them."""
        return generate_latest(self.registry)


class _State(Collector):
    def __init__(
        self,
        phases: Callable[[], Iterable[str]],
        queued: Callable[[], int],
        resolving: Callable[[], int],
        leading: Callable[[], bool],
    ) -> None:
        self._phases = phases
        self._queued = queued
        self._resolving = resolving
        self._leading = leading

    def collect(self) -> Iterator[GaugeMetricFamily]:
        plans = GaugeMetricFamily("voxk8s_workplans", "WorkPlans by phase.", labels=["phase"])
        for phase, count in sorted(Tally(self._phases()).items()):
            plans.add_metric([phase], count)
        yield plans
        yield GaugeMetricFamily(
            "voxk8s_queue_length", "WorkPlans that wait to be reconciled.", value=self._queued()
        )
        yield GaugeMetricFamily(
            "voxk8s_resolve_backlog", "Plans that wait to be looked up.", value=self._resolving()
        )
        yield GaugeMetricFamily(
            "voxk8s_leader", "1 where this operator is the one that acts.", value=self._leading()
        )
