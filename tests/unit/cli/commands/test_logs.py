"""`voxk8s logs`, with an API server in this process."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.cli import Done
from tests.support.fake_kube import FakeKube, Json
from tests.unit.cli.workplan_statuses import RUNNING


def pod(name: str, created: str = "2026-01-01T00:00:00Z") -> Json:
    """Return a pod."""
    return {"metadata": {"name": name, "creationTimestamp": created}}


@pytest.fixture(autouse=True)
def _workplan(kube: FakeKube) -> None:
    kube.add("one", RUNNING)


def test_default_is_the_log_of_the_runner(kube: FakeKube, call: Callable[..., Done]) -> None:
    """The log of a single pod is printed without a heading."""
    kube.pods = [pod("vox-one-runner-x")]
    kube.logs["vox-one-runner-x"] = "first\nsecond\n"
    done = call("logs", "one")
    assert (done.status, done.out) == (0, "first\nsecond\n")
    assert any("component%3Drunner" in path for _, path in kube.asked)


def test_logs_of_several_pods_have_headings(kube: FakeKube, call: Callable[..., Done]) -> None:
    """The oldest pod is first."""
    kube.pods = [pod("b", "2026-01-01T00:02:00Z"), pod("a", "2026-01-01T00:01:00Z")]
    kube.logs = {"a": "1\n", "b": "2\n"}
    done = call("logs", "one", "--component", "worker")
    assert done.out == "==> a <==\n1\n==> b <==\n2\n"
    assert any("component%3Dworker" in path for _, path in kube.asked)


def test_followed_lines_name_their_pod(kube: FakeKube, call: Callable[..., Done]) -> None:
    """With several pods the lines of --follow begin with the name of the pod."""
    kube.pods = [pod("a"), pod("b")]
    kube.logs = {"a": "1\n2\n", "b": "3\n"}
    done = call("logs", "one", "-f")
    assert sorted(done.out.splitlines()) == ["a: 1", "a: 2", "b: 3"]


def test_only_the_last_lines_are_requested(kube: FakeKube, call: Callable[..., Done]) -> None:
    """--tail is passed to the API server."""
    kube.pods = [pod("a")]
    call("logs", "one", "--tail", "7")
    assert any("tailLines=7" in path for _, path in kube.asked)


def test_component_without_a_pod(call: Callable[..., Done]) -> None:
    """The message has the phase of the WorkPlan."""
    done = call("logs", "one", "--component", "scheduler")
    assert (done.status, done.out) == (1, "")
    assert "WorkPlan one has no scheduler pod (status: Running)" in done.err
