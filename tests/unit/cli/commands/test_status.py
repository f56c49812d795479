"""`voxk8s status`, with an API server in this process."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.cli import Done
from tests.support.fake_kube import FakeKube
from tests.unit.cli.workplan_statuses import DONE, RUNNING


def test_without_a_name_all_workplans_are_listed(kube: FakeKube, call: Callable[..., Done]) -> None:
    """A table has one line for each WorkPlan of the namespace."""
    kube.add("one", RUNNING)
    kube.add("two", DONE)
    done = call("status")
    assert done.status == 0
    assert [line.split()[0] for line in done.out.splitlines()] == ["NAME", "one", "two"]
    assert any("/namespaces/mine/workplans" in path for _, path in kube.asked)


def test_one_workplan_is_shown_in_detail(kube: FakeKube, call: Callable[..., Done]) -> None:
    """Its conditions are printed."""
    kube.add("two", DONE)
    assert "Succeeded=True AllGoalsReached" in call("status", "two").out


def test_json_is_the_resource(kube: FakeKube, call: Callable[..., Done]) -> None:
    """One WorkPlan is an object, several are the `items` of one."""
    kube.add("two", DONE)
    assert call("status", "two", "--json").json()["status"]["phase"] == "Succeeded"
    (item,) = call("status", "--json").json()["items"]
    assert item["metadata"]["name"] == "two"


def test_all_namespaces_are_listed_on_request(kube: FakeKube, call: Callable[..., Done]) -> None:
    """-A asks for the WorkPlans of the whole cluster and adds a column with the namespace."""
    kube.add("one", RUNNING, namespace="other")
    head, line = call("status", "-A").out.splitlines()
    assert (head.split()[0], line.split()[0]) == ("NAMESPACE", "other")
    assert not any("/namespaces/" in path for _, path in kube.asked)


def test_name_and_all_namespaces_exclude_each_other(call: Callable[..., Done]) -> None:
    """Both together are an invalid call."""
    done = call("status", "one", "-A")
    assert (done.status, done.out) == (2, "")
    assert "expected either NAME or -A, got both" in done.err


def test_workplan_that_does_not_exist(kube: FakeKube, call: Callable[..., Done]) -> None:
    """The message names the WorkPlan and the namespace."""
    assert not kube.workplans
    done = call("status", "three")
    assert (done.status, done.out) == (1, "")
    assert "WorkPlan three not found in namespace mine" in done.err
