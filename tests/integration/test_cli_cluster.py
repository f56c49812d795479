"""The commands for clusters, against a small API server in this process."""

from __future__ import annotations

import copy
import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.cli import Done, start, voxk8s
from tests.support.fake_kube import FakeKube, Json, serving
from tests.support.s3 import S3Server
from voxk8s.values import SavedFile

RUNNING = {"phase": "Running", "progress": "1/2", "reason": "Progressing"}
DONE: Json = {
    "phase": "Succeeded",
    "progress": "2/2",
    "completionTime": "2026-01-01T00:01:00Z",
    "conditions": [
        {
            "type": "Succeeded",
            "status": "True",
            "reason": "AllGoalsReached",
            "message": "",
            "lastTransitionTime": "2026-01-01T00:01:00Z",
        }
    ],
    "results": [
        {"goal": "sum", "kind": "print", "value": 5},
        {"goal": "list", "kind": "print", "value": [1, 2], "truncated": True},
    ],
}
MESSAGE = "vox1.near (abababababab) failed: KernelError: no mask"
FAILED = {
    "phase": "Failed",
    "completionTime": "2026-01-01T00:01:00Z",
    "conditions": [{**DONE["conditions"][0], "status": "False"}],
    "failures": [{"operation": "ab" * 32, "kernel": "vox1.near", "message": MESSAGE}],
}


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    """Return a fresh API server."""
    with serving() as fake:
        yield fake


@pytest.fixture
def call(kube: FakeKube, tmp_path: Path) -> Callable[..., Done]:
    """Return a way to call voxk8s with a kubeconfig that leads to the API server."""
    env = {"KUBECONFIG": str(kube.kubeconfig(tmp_path))}
    return lambda *words, **more: voxk8s(tmp_path, *words, env={**env, **more})


def changed(body: Json, status: Json, version: str) -> Json:
    """Return a watch event."""
    new = copy.deepcopy(body)
    new["status"] = status
    new["metadata"]["resourceVersion"] = version
    return {"type": "MODIFIED", "object": new}


def test_submit_creates_in_the_namespace_of_the_context(
    kube: FakeKube, call: Callable[..., Done], tmp_path: Path
) -> None:
    """The name goes to standard output; a second object of the name is an error."""
    (tmp_path / "p.imgql").write_text('print "x" 1\n')
    done = call("submit", "p.imgql", "--name", "mine")
    assert (done.status, done.out) == (0, "mine\n")
    assert ("POST" in {method for method, _ in kube.asked}) is True
    assert any("/namespaces/mine/workplans" in path for _, path in kube.asked)
    assert kube.workplans["mine"]["spec"]["source"]["program"] == 'print "x" 1\n'
    again = call("submit", "p.imgql", "--name", "mine")
    assert (again.status, again.out) == (1, "")
    assert "already exists" in again.err


def test_status_shows_all_or_one(kube: FakeKube, call: Callable[..., Done]) -> None:
    """Without a name a table, with one the details; --json is JSON."""
    kube.add("one", RUNNING)
    kube.add("two", DONE)
    everything = call("status")
    assert [line.split()[0] for line in everything.out.splitlines()] == ["NAME", "one", "two"]
    assert "Succeeded=True AllGoalsReached" in call("status", "two").out
    assert call("status", "two", "--json").json()["status"]["phase"] == "Succeeded"
    missing = call("status", "three")
    assert (missing.status, missing.out) == (1, "")
    assert "WorkPlan three not found in namespace mine" in missing.err


def test_watch_follows_to_success(kube: FakeKube, call: Callable[..., Done]) -> None:
    """Changes go to standard error, results to standard output, status 0."""
    body = kube.add("one", RUNNING)
    kube.events = [changed(body, {**RUNNING, "progress": "2/2"}, "2"), changed(body, DONE, "3")]
    done = call("watch", "one")
    assert done.status == 0
    assert done.out == "sum=5\nlist=[1,2]\n"
    assert "Running 1/2" in done.err
    assert "Running 2/2" in done.err


def test_watch_of_a_failure_is_a_failure(kube: FakeKube, call: Callable[..., Done]) -> None:
    """A failed WorkPlan gives exit status 1 and the failures."""
    body = kube.add("one", RUNNING)
    kube.events = [changed(body, FAILED, "2")]
    done = call("watch", "one")
    assert (done.status, done.out) == (1, "")
    assert MESSAGE in done.err


def test_watch_ends_when_the_workplan_is_deleted(kube: FakeKube, call: Callable[..., Done]) -> None:
    """Nothing is waited for that cannot come."""
    body = kube.add("one", RUNNING)
    kube.events = [{**changed(body, RUNNING, "2"), "type": "DELETED"}]
    done = call("watch", "one")
    assert done.status == 1
    assert "was deleted" in done.err


def test_watch_gives_up_after_its_time(kube: FakeKube, call: Callable[..., Done]) -> None:
    """--timeout bounds the waiting."""
    kube.add("one", RUNNING)
    done = call("watch", "one", "--timeout", "0.5")
    assert done.status == 1
    assert "not finished after 0.5 s: Running 1/2" in done.err


def test_interrupted_watch_ends_with_130(kube: FakeKube, tmp_path: Path) -> None:
    """Ctrl-C while waiting: status 130 and no traceback."""
    kube.add("one", RUNNING)
    env = {"KUBECONFIG": str(kube.kubeconfig(tmp_path))}
    process = start(tmp_path, "watch", "one", env=env)
    assert process.stderr is not None
    assert "Running" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_results_of_what_is_not_finished(kube: FakeKube, call: Callable[..., Done]) -> None:
    """Results of an unfinished WorkPlan are printed, with exit status 1."""
    kube.add("one", {**RUNNING, "results": DONE["results"]})
    done = call("results", "one")
    assert (done.status, done.out.splitlines()[0]) == (1, "sum=5")
    assert "not finished" in done.err


def test_results_as_json(kube: FakeKube, call: Callable[..., Done]) -> None:
    """--json prints the results of the status and marks values that were cut."""
    kube.add("one", DONE)
    done = call("results", "one", "--json")
    assert done.status == 0
    assert [result["goal"] for result in json.loads(done.out)["results"]] == ["sum", "list"]
    assert "list is truncated" in done.err


@pytest.mark.s3
def test_files_are_downloaded_and_verified(
    kube: FakeKube, call: Callable[..., Done], s3_server: S3Server, tmp_path: Path
) -> None:
    """--download writes saved files under their names; a name that leaves the folder is refused."""
    store = s3_server.store()
    put = store.put("0" * 64, SavedFile(b"file", ".txt", "text/plain"))
    url = store.url_of(put.digest)
    kube.add("one", {**DONE, "results": [{"goal": "a/m.txt", "kind": "save", "url": url}]})
    done = call("results", "one", "--download", "got", **s3_server.env)
    assert (done.status, done.out) == (0, f"a/m.txt={url}\n")
    assert (tmp_path / "got" / "a" / "m.txt").read_bytes() == b"file"
    kube.add("two", {**DONE, "results": [{"goal": "../m.txt", "kind": "save", "url": url}]})
    assert call("results", "two", "--download", "got", **s3_server.env).status == 2
    assert not (tmp_path / "m.txt").exists()


@pytest.mark.s3
def test_the_report_of_a_run_is_fetched(
    kube: FakeKube, call: Callable[..., Done], s3_server: S3Server, tmp_path: Path
) -> None:
    """--report writes the page that the status names; without one it prints an error."""
    url = s3_server.store().write_run_file("ns/one/u/report.html", b"<p>", "text/html")
    kube.add("one", {**DONE, "report": {"url": url}})
    assert call("results", "one", "--report", "one.html", **s3_server.env).status == 0
    assert (tmp_path / "one.html").read_bytes() == b"<p>"
    kube.add("two", {**DONE, "report": {"url": url.replace("report", "other")}})
    gone = call("results", "two", "--report", "two.html", **s3_server.env)
    assert (gone.status, "the report of two was deleted" in gone.err) == (2, True)
    kube.add("three", DONE)
    known = call("results", "three", "--report", "three.html", **s3_server.env)
    assert (known.status, "three has no report" in known.err) == (2, True)


def test_cancel_suspends_or_deletes(kube: FakeKube, call: Callable[..., Done]) -> None:
    """Suspension keeps the object, --delete does not, and what is finished is left alone."""
    kube.add("one", RUNNING)
    kube.add("two", DONE)
    assert call("cancel", "one").status == 0
    assert kube.workplans["one"]["spec"]["suspend"] is True
    assert call("cancel", "two").status == 0
    assert "suspend" not in kube.workplans["two"]["spec"]
    assert call("cancel", "one", "--delete").status == 0
    assert "one" not in kube.workplans


def test_logs_are_those_of_the_component(kube: FakeKube, call: Callable[..., Done]) -> None:
    """The default is the log of the runner; without a pod there is an error."""
    kube.add("one", RUNNING)
    none = call("logs", "one")
    assert none.status == 1
    assert "no runner pod" in none.err
    kube.pods = [{"metadata": {"name": "vox-one-runner-x"}}]
    kube.logs["vox-one-runner-x"] = "first\nsecond\n"
    done = call("logs", "one")
    assert (done.status, done.out) == (0, "first\nsecond\n")
    assert any("component%3Drunner" in path for _, path in kube.asked)


def test_no_cluster_is_said(tmp_path: Path) -> None:
    """Without a kubeconfig, and with an API server that does not answer: status 1 and words."""
    none = voxk8s(tmp_path, "status")
    assert (none.status, none.out) == (1, "")
    assert "KUBECONFIG" in none.err
    fake = FakeKube(port=9)
    env = {"KUBECONFIG": str(fake.kubeconfig(tmp_path))}
    away = voxk8s(tmp_path, "status", env=env)
    assert (away.status, away.out) == (1, "")
    assert "does not answer" in away.err
