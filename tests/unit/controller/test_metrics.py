"""The Prometheus metrics of the operator."""

from __future__ import annotations

from voxk8s.api.status import KernelWork, Outcome, StoreCounts
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


def test_finished_runs_are_added_up() -> None:
    """What they did at their stores, and the seconds of kernels."""
    metrics = Metrics()
    work = KernelWork(kernel="vox1.near", computed=2, found=3, seconds=1.5)
    outcome = Outcome(
        state="Succeeded",
        reason="AllGoalsReached",
        store=StoreCounts(hits=4, healed=1, requests=9, retries=2, bytes_read=70, bytes_written=8),
        kernels=(work,),
    )
    metrics.count_run(outcome)
    metrics.count_run(outcome)
    metrics.count_run(Outcome(state="Failed", reason="InvalidPlan"))
    text = metrics.text().decode()
    for line in (
        'voxk8s_store_results_total{result="hits"} 8.0',
        'voxk8s_store_results_total{result="healed"} 2.0',
        "voxk8s_store_requests_total 18.0",
        "voxk8s_store_retries_total 4.0",
        "voxk8s_store_read_bytes_total 140.0",
        "voxk8s_store_written_bytes_total 16.0",
        'voxk8s_kernel_operations_total{kernel="vox1.near",result="found"} 6.0',
        'voxk8s_kernel_seconds_total{kernel="vox1.near"} 3.0',
    ):
        assert line in text
