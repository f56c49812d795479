"""Counting operations."""

from __future__ import annotations

from tests.support.plans_and_runs import PlanMaker
from voxk8s.errors import InputUnreachable, StoreAccessDenied
from voxk8s.execution.events import NonDeterminism, OperationFailed, OperationFinished
from voxk8s.execution.operation_reports import Report, Status
from voxk8s.execution.result import KernelTotals
from voxk8s.execution.run.run_tracker import RunTracker
from voxk8s.failure import CANCELLED, Failure, failure_of
from voxk8s.kernels import registry
from voxk8s.plan import KeyConstant, ResultKey, key_graph, resolve


def _start(known: int = 0) -> tuple[RunTracker, list[ResultKey]]:
    make = PlanMaker()
    node = make.constant(1.0)
    for _ in range(4):
        node = make("addition", node, 1.0)
    make.show("end", node)
    graph = key_graph(make.plan(), registry())
    keys = [key for key, node in graph.nodes.items() if not isinstance(node, KeyConstant)]
    held = set(keys[:known])
    tracker = RunTracker("run")
    tracker.set_resolution(graph.nodes, resolve(graph, held.intersection))
    return tracker, keys


def _report(key: str, status: Status = Status.COMPUTED, **more: object) -> Report:
    return Report(key, status, "default.addition", **more)  # type: ignore[arg-type]  # fields of the report


def test_a_report_counts_once() -> None:
    """Reports may come twice; an operation is computed once."""
    tracker, keys = _start()
    events = [*tracker.apply("run", [_report(keys[0])]), *tracker.apply("run", [_report(keys[0])])]
    assert [type(event) for event in events] == [OperationFinished]
    assert tracker.progress().computed == 1
    assert tracker.progress().pending == 3


def test_what_lies_below_known_results_is_done() -> None:
    """One known result of which another is below: cached 1, skipped 1, and both need no work."""
    tracker, _ = _start(known=2)
    progress = tracker.progress(8)
    assert (progress.total, progress.cached, progress.skipped) == (4, 1, 1)
    assert (progress.running, progress.pending, progress.done) == (2, 0, 2)


def test_metrics_by_key_say_how_each_operation_ended() -> None:
    """Computed, known or failed; what has not ended is absent."""
    tracker, keys = _start(known=2)
    tracker.apply("run", [_report(keys[2], seconds=1.5)])
    tracker.apply(
        "run", [_report(keys[3], Status.FAILED, seconds=0.5, started=7.0, failure=Failure("no"))]
    )
    found = tracker.by_key()
    assert keys[0] not in found
    assert (found[keys[1]].cached, found[keys[1]].failed) == (True, False)
    assert (found[keys[2]].cached, found[keys[2]].failed) == (False, False)
    assert (found[keys[3]].failed, found[keys[3]].seconds) == (True, 0.5)


def test_a_failure_says_when_it_ran() -> None:
    """For the timeline: when it began, for how long, and where."""
    tracker, keys = _start()
    report = _report(
        keys[0], Status.FAILED, seconds=0.5, started=7.0, worker="w", failure=Failure("no")
    )
    [event] = tracker.apply("run", [report])
    assert isinstance(event, OperationFailed)
    assert (event.seconds, event.started, event.worker) == (0.5, 7.0, "w")


def test_work_of_another_run_is_not_ours() -> None:
    """What another run computes counts as cached here, and as nothing of ours being stored."""
    tracker, keys = _start()
    [event] = tracker.apply("other", [_report(keys[0], stored="created")])
    assert isinstance(event, OperationFinished)
    assert event.found
    assert (tracker.progress().cached, tracker.progress().computed) == (1, 0)
    assert keys[0] not in tracker.finals
    assert not tracker.durable


def test_our_own_report_outweighs_a_look_at_the_store() -> None:
    """An operation of ours that the store is seen to hold before its report comes is computed."""
    tracker, keys = _start(known=1)
    list(tracker.apply("run", [_report(keys[0], stored="created")]))
    assert (tracker.progress().cached, tracker.progress().computed) == (0, 1)


def test_failures_are_told_once_and_can_be_mended() -> None:
    """A failure is an event; a later success takes it back."""
    tracker, keys = _start()
    failure = _report(keys[0], Status.FAILED, origin=keys[0], failure=failure_of(ValueError("odd")))
    events = [*tracker.apply("run", [failure, failure])]
    assert [type(event) for event in events] == [OperationFailed]
    assert tracker.progress().failed == 1
    [failed] = tracker.failures()
    assert (failed.kernel, failed.cause) == ("default.addition", "ValueError: odd")
    list(tracker.apply("run", [_report(keys[0])]))
    assert tracker.progress().failed == 0


def test_another_value_than_the_stored_one_is_told() -> None:
    """Non-determinism is an event and a list of operations."""
    tracker, keys = _start()
    events = list(tracker.apply("run", [_report(keys[0], stored="nondeterministic")]))
    assert isinstance(events[0], NonDeterminism)
    assert len(tracker.nondeterministic()) == 1


def test_a_stored_value_that_is_lost_is_a_difference_once() -> None:
    """An operation that failed is not counted as computed by it."""
    tracker, keys = _start()
    event = tracker.lost_value(keys[0])
    assert isinstance(event, NonDeterminism)
    assert event.failed
    assert tracker.lost_value(keys[0]) is None
    assert tracker.lost_value(ResultKey("f" * 64)) is None
    assert (len(tracker.nondeterministic()), tracker.has_value(keys[0])) == (1, False)


def test_reports_of_other_plans_are_passed_over() -> None:
    """A report about an operation that this plan does not have changes nothing."""
    tracker, _ = _start()
    assert list(tracker.apply("other", [_report("f" * 64)])) == []


def test_work_is_added_up_by_kernel() -> None:
    """What was computed with its seconds and bytes, what was found, and what failed."""
    tracker, keys = _start()
    failure = failure_of(ValueError("odd"))
    reports = [
        _report(keys[0], seconds=1.0, memory=8),
        _report(keys[1], seconds=2.0, memory=16),
        _report(keys[1], seconds=2.0, memory=16),
        _report(keys[2], Status.FOUND),
        _report(keys[3], Status.FAILED, origin=keys[3], failure=failure),
    ]
    list(tracker.apply("run", reports))
    assert tracker.kernels() == {"default.addition": KernelTotals(2, 1, 1, 3.0, 24)}


def test_what_failed_in_another_run_does_not_undo_a_success() -> None:
    """The other run may use another store, or have been cancelled."""
    make = PlanMaker()
    make.show("x", make("addition", 1.0, 2.0))
    graph = key_graph(make.plan(), registry())
    resolution = resolve(graph, lambda _: ())
    tracker = RunTracker("run")
    tracker.set_resolution(graph.nodes, resolution)
    [key] = resolution.compute
    computed = Report(key, Status.COMPUTED)
    assert list(tracker.apply("run", [computed]))
    failed = Report(key, Status.FAILED, origin=key, failure=Failure("no luck"))
    skipped = Report(key, Status.SKIPPED, origin=key, failure=Failure("cancelled", CANCELLED))
    assert not list(tracker.apply("another", [failed, skipped]))
    assert tracker.finals == {key: computed}
    assert not tracker.failed


def test_what_only_another_run_could_not_do_is_no_failure_of_ours() -> None:
    """Its store may refuse what ours takes, and it may try less often; a kernel fails in both."""
    tracker, keys = _start()
    for error in (StoreAccessDenied("no writing"), InputUnreachable("no answer")):
        failed = _report(keys[0], Status.FAILED, origin=keys[0], failure=failure_of(error))
        assert not list(tracker.apply("another", [failed]))
    assert not tracker.failed
    assert not tracker.finals
    failed = _report(keys[0], Status.FAILED, origin=keys[0], failure=failure_of(ValueError("bad")))
    [event] = tracker.apply("another", [failed])
    assert isinstance(event, OperationFailed)


def test_what_no_goal_needs_may_fail_elsewhere() -> None:
    """A plan that takes one item of a sequence does not need the others; another plan may."""
    make = PlanMaker()
    sequence = make("sequence", 1.0, make("addition", 1.0, 9.0), make("addition", 1.0, 2.0))
    make.show("x", make("index", sequence, 2.0))
    graph = key_graph(make.plan(), registry())
    resolution = resolve(graph, lambda _: ())
    tracker = RunTracker("run")
    tracker.set_resolution(graph.nodes, resolution)
    unneeded = [
        key
        for key, node in graph.nodes.items()
        if not isinstance(node, KeyConstant) and key not in resolution.compute
    ]
    assert unneeded
    for key in unneeded:
        failed = _report(key, Status.FAILED, origin=key, failure=Failure("no"))
        assert not list(tracker.apply("another", [failed, _report(key)]))
    assert tracker.progress().cached == 0
