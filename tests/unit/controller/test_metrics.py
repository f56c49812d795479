"""The Prometheus metrics of the operator."""

from __future__ import annotations

from voxk8s.controller.metrics import Metrics


def test_text_of_the_metrics() -> None:
    """WorkPlans by phase, the queues, the leader and reconciliations are exported."""
    metrics = Metrics()
    metrics.add_gauges(
        phases=lambda: ["Running", "Running", "Failed"],
        queue_length=lambda: 3,
        resolve_backlog=lambda: 1,
        leading=lambda: True,
    )
    with metrics.reconciling():
        metrics.count_error()
    text = metrics.text().decode()
    for line in (
        'voxk8s_workplans{phase="Running"} 2.0',
        "voxk8s_queue_length 3.0",
        "voxk8s_resolve_backlog 1.0",
        "voxk8s_leader 1.0",
        "voxk8s_reconcile_errors_total 1.0",
        "voxk8s_reconcile_seconds_count 1.0",
    ):
        assert line in text
