"""`voxk8s watch`, with an API server in this process."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.cli import Done
from tests.support.fake_kube import FakeKube
from tests.unit.cli.workplan_statuses import DONE, FAILED, MESSAGE, RUNNING, modified


def test_a_workplan_is_followed_to_success(kube: FakeKube, call: Callable[..., Done]) -> None:
    """Changes go to standard error, results to standard output; the status is 0."""
    body = kube.add("one", RUNNING)
    kube.events = [modified(body, {**RUNNING, "progress": "2/2"}, "2"), modified(body, DONE, "3")]
    done = call("watch", "one")
    assert (done.status, done.out) == (0, "sum=5\nlist=[1,2]\n")
    assert "Running 1/2" in done.err
    assert "Running 2/2" in done.err


def test_a_change_that_shows_nothing_new_is_not_printed(
    kube: FakeKube, call: Callable[..., Done]
) -> None:
    """Equal lines are printed once."""
    body = kube.add("one", RUNNING)
    kube.events = [modified(body, RUNNING, "2"), modified(body, DONE, "3")]
    assert call("watch", "one").err.count("Running 1/2") == 1


def test_quiet_watch_prints_results_only(kube: FakeKube, call: Callable[..., Done]) -> None:
    """With -q no progress is printed."""
    body = kube.add("one", RUNNING)
    kube.events = [modified(body, {**DONE, "results": DONE["results"][:1]}, "2")]
    done = call("watch", "one", "-q")
    assert (done.out, done.err) == ("sum=5\n", "")


def test_a_finished_workplan_needs_no_event(kube: FakeKube, call: Callable[..., Done]) -> None:
    """Its results are printed at once."""
    kube.add("one", DONE)
    assert call("watch", "one").out == "sum=5\nlist=[1,2]\n"


def test_failed_workplan_fails_the_command(kube: FakeKube, call: Callable[..., Done]) -> None:
    """The exit status is 1, and the failures are printed."""
    body = kube.add("one", RUNNING)
    kube.events = [modified(body, FAILED, "2")]
    done = call("watch", "one")
    assert (done.status, done.out) == (1, "")
    assert MESSAGE in done.err


def test_watch_ends_when_the_workplan_is_deleted(kube: FakeKube, call: Callable[..., Done]) -> None:
    """A deleted WorkPlan is not waited for."""
    body = kube.add("one", RUNNING)
    kube.events = [{**modified(body, RUNNING, "2"), "type": "DELETED"}]
    done = call("watch", "one")
    assert done.status == 1
    assert "WorkPlan one was deleted" in done.err


def test_timeout_bounds_the_wait(kube: FakeKube, call: Callable[..., Done]) -> None:
    """The message has the last progress that was seen."""
    kube.add("one", RUNNING)
    done = call("watch", "one", "--timeout", "0.5")
    assert done.status == 1
    assert "not finished after 0.5 s: Running 1/2" in done.err


def test_a_retry_that_has_not_begun_is_waited_for(
    kube: FakeKube, call: Callable[..., Done]
) -> None:
    """The end that the status still reports is that of the run before."""
    body = kube.add("one", FAILED)
    body["metadata"]["annotations"] = {"voxk8s.io/retry": "2"}
    again = {"retry": "2"}
    kube.events = [modified(body, RUNNING | again, "2"), modified(body, DONE | again, "3")]
    done = call("watch", "one")
    assert (done.status, done.out) == (0, "sum=5\nlist=[1,2]\n")
    assert "Failed before; another run is asked for" in done.err
    assert MESSAGE not in done.err
