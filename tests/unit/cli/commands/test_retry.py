"""`voxk8s retry`, with an API server in this process."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.cli import Done
from tests.support.fake_kube import FakeKube
from tests.unit.cli.workplan_statuses import DONE, RUNNING


def test_a_finished_workplan_runs_again(kube: FakeKube, call: Callable[..., Done]) -> None:
    """Each call sets another value of the annotation, which the operator acts on once."""
    kube.add("two", DONE)
    done = call("retry", "two")
    assert (done.status, done.out) == (0, "")
    first = kube.workplans["two"]["metadata"]["annotations"]["voxk8s.io/retry"]
    assert call("retry", "two").status == 0
    assert kube.workplans["two"]["metadata"]["annotations"]["voxk8s.io/retry"] > first


def test_a_running_workplan_is_not_retried(kube: FakeKube, call: Callable[..., Done]) -> None:
    """It would run again when it has ended, which is not what was asked for."""
    kube.add("one", RUNNING)
    done = call("retry", "one")
    assert done.status == 1
    assert "not finished (Running)" in done.err
    assert "annotations" not in kube.workplans["one"]["metadata"]
