"""`voxk8s cancel`, with an API server in this process."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.cli import Done
from tests.support.fake_kube import FakeKube
from tests.unit.cli.workplan_statuses import DONE, RUNNING


def test_a_workplan_is_suspended(kube: FakeKube, call: Callable[..., Done]) -> None:
    """The object stays."""
    kube.add("one", RUNNING)
    done = call("cancel", "one")
    assert (done.status, done.out) == (0, "")
    assert "suspended WorkPlan one" in done.err
    assert kube.workplans["one"]["spec"]["suspend"] is True


def test_a_finished_workplan_is_not_changed(kube: FakeKube, call: Callable[..., Done]) -> None:
    """There is nothing to cancel, which is not an error."""
    kube.add("two", DONE)
    done = call("cancel", "two")
    assert done.status == 0
    assert "nothing to cancel" in done.err
    assert "suspend" not in kube.workplans["two"]["spec"]


def test_a_retry_that_has_not_begun_is_cancelled(kube: FakeKube, call: Callable[..., Done]) -> None:
    """A WorkPlan that is to run again is suspended before it does."""
    kube.add("two", DONE)["metadata"]["annotations"] = {"voxk8s.io/retry": "2"}
    assert "suspended WorkPlan two" in call("cancel", "two").err
    assert kube.workplans["two"]["spec"]["suspend"] is True


def test_a_workplan_is_deleted_on_request(kube: FakeKube, call: Callable[..., Done]) -> None:
    """--delete deletes this WorkPlan only, whether it is finished or not."""
    for name, status in (("one", RUNNING), ("two", DONE), ("three", DONE)):
        kube.add(name, status)
    for name in ("one", "two"):
        assert call("cancel", name, "--delete").status == 0
    assert set(kube.workplans) == {"three"}


def test_workplan_that_does_not_exist(kube: FakeKube, call: Callable[..., Done]) -> None:
    """Cancelling it is an error."""
    assert not kube.workplans
    done = call("cancel", "one")
    assert done.status == 1
    assert "WorkPlan one not found in namespace mine" in done.err
