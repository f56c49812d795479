"""The commands for clusters, against a small API server in this process."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.cli import Done, start, voxk8s
from tests.support.fake_kube import FakeKube, serving
from tests.support.s3 import S3Server
from tests.unit.cli.workplan_statuses import DONE, RUNNING, modified
from voxk8s.values import SavedFile


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


def test_watch_follows_to_success(kube: FakeKube, call: Callable[..., Done]) -> None:
    """Changes go to standard error, results to standard output, status 0."""
    body = kube.add("one", RUNNING)
    kube.events = [modified(body, {**RUNNING, "progress": "2/2"}, "2"), modified(body, DONE, "3")]
    done = call("watch", "one")
    assert done.status == 0
    assert done.out == "sum=5\nlist=[1,2]\n"
    assert "Running 1/2" in done.err
    assert "Running 2/2" in done.err


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
