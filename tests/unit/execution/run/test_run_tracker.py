"""Counting operations."""

from __future__ import annotations

from tests.support.plans_and_runs import PlanMaker
from voxk8s.execution.events import NonDeterminism, OperationFailed, OperationFinished
from voxk8s.execution.outcome import Report, Status
from voxk8s.execution.run.run_tracker import Ledger
from voxk8s.failure import failure_of
from voxk8s.kernels import registry
from voxk8s.plan import KeyConstant, ResultKey, key_graph, resolve


def _start(known: int = 0) -> tuple[Ledger, list[ResultKey]]:
    make = PlanMaker()
    node = make.constant(1.0)
    for _ in range(4):
        node = make("addition", node, 1.0)
    make.show("end", node)
    graph = key_graph(make.plan(), registry())
    keys = [key for key, node in graph.nodes.items() if not isinstance(node, KeyConstant)]
    held = set(keys[:known])
    ledger = Ledger("run")
    ledger.resolved(graph.nodes, resolve(graph, held.intersection))
    return ledger, keys


def _report(key: str, status: Status = Status.COMPUTED, **more: object) -> Report:
    return Report(key, status, "default.addition", **more)  # type: ignore[arg-type]  # fields of the report


def test_a_report_counts_once() -> None:
    """Reports may come twice; an operation is computed once."""
    ledger, keys = _start()
    events = [*ledger.take("run", [_report(keys[0])]), *ledger.take("run", [_report(keys[0])])]
    assert [type(event) for event in events] == [OperationFinished]
    assert ledger.progress().computed == 1
    assert ledger.progress().pending == 3


def test_what_lies_below_known_results_is_done() -> None:
    """One known result of which another is below: cached 1, skipped 1, and both need no work."""
    ledger, _ = _start(known=2)
    progress = ledger.progress(8)
    assert (progress.total, progress.cached, progress.skipped) == (4, 1, 1)
    assert (progress.running, progress.pending, progress.done) == (2, 0, 2)


def test_work_of_another_run_is_not_ours() -> None:
    """What another run computes counts as cached here, and as nothing of ours being stored."""
    ledger, keys = _start()
    [event] = ledger.take("other", [_report(keys[0], stored="created")])
    assert isinstance(event, OperationFinished)
    assert event.found
    assert (ledger.progress().cached, ledger.progress().computed) == (1, 0)
    assert ledger.final(keys[0]) is None
    assert not ledger.durable


def test_our_own_report_outweighs_a_look_at_the_store() -> None:
    """An operation of ours that the store is seen to hold before its report comes is computed."""
    ledger, keys = _start(known=1)
    list(ledger.take("run", [_report(keys[0], stored="created")]))
    assert (ledger.progress().cached, ledger.progress().computed) == (0, 1)


def test_failures_are_told_once_and_can_be_mended() -> None:
    """A failure is an event; a later success takes it back."""
    ledger, keys = _start()
    failure = _report(keys[0], Status.FAILED, origin=keys[0], failure=failure_of(ValueError("odd")))
    events = [*ledger.take("run", [failure, failure])]
    assert [type(event) for event in events] == [OperationFailed]
    assert ledger.progress().failed == 1
    [failed] = ledger.failures()
    assert (failed.kernel, failed.cause) == ("default.addition", "ValueError: odd")
    list(ledger.take("run", [_report(keys[0])]))
    assert ledger.progress().failed == 0


def test_another_value_than_the_stored_one_is_told() -> None:
    """Non-determinism is an event and a list of operations."""
    ledger, keys = _start()
    events = list(ledger.take("run", [_report(keys[0], stored="nondeterministic")]))
    assert isinstance(events[0], NonDeterminism)
    assert len(ledger.nondeterministic()) == 1


def test_reports_of_other_plans_are_passed_over() -> None:
    """A report about an operation that this plan does not have changes nothing."""
    ledger, _ = _start()
    assert list(ledger.take("other", [_report("f" * 64)])) == []
