"""`voxk8s dashboard`, with an API server that forwards a port to a server of this process."""

from __future__ import annotations

import threading
import urllib.request
import webbrowser
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.support.cli import Done
from tests.support.forwarding_kube import ForwardingKube, serving
from tests.unit.cli.workplan_statuses import DONE, RUNNING

POD = "namespaces/lab/pods/one-scheduler-0"


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Return the page of a dashboard."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"dashboard")

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def kube(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ForwardingKube]:
    """Return an API server with a WorkPlan that runs, and its scheduler."""
    server = HTTPServer(("127.0.0.1", 0), _Page)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    with serving() as found:
        monkeypatch.setenv("KUBECONFIG", str(found.kubeconfig(folder, "lab")))
        found.put_server("one-scheduler", "lab", 8787, server.server_port)
        add(found, running=True)
        yield found
    server.shutdown()
    server.server_close()
    thread.join()


def add(kube: ForwardingKube, *, running: bool) -> None:
    """Add the WorkPlan `one`."""
    body = {
        "apiVersion": "voxk8s.io/v1alpha1",
        "kind": "WorkPlan",
        "metadata": {"namespace": "lab", "uid": "u"},
        "spec": {"source": {"program": 'print "x" 1'}},
        "status": RUNNING if running else DONE,
    }
    kube.put("namespaces/lab/workplans/one", body)


def test_the_dashboard_is_open_as_long_as_the_scheduler_runs(
    kube: ForwardingKube, call: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its address is printed and shown in the browser."""
    seen: list[bytes] = []

    def browse(url: str) -> bool:
        with urllib.request.urlopen(url, timeout=20) as page:
            seen.append(page.read())
        del kube.objects[POD]
        return True

    monkeypatch.setattr(webbrowser, "open", browse)
    done = call("dashboard", "one")
    assert (done.status, seen) == (0, [b"dashboard"]), done.err
    assert done.out.startswith("http://127.0.0.1:")
    assert done.err.endswith("voxk8s: the Dask cluster of one is gone\n")


def test_run_that_ends_meanwhile(kube: ForwardingKube, call: Callable[..., Done]) -> None:
    """Its pod was ready when it was looked for: the error of the port-forward says nothing."""
    kube.ending = {"one-scheduler-0"}
    done = call("dashboard", "one")
    assert (done.status, done.out) == (1, "")
    assert done.err == "voxk8s: the Dask cluster of one has just gone\n"


def test_what_is_missing_is_said(kube: ForwardingKube, call: Callable[..., Done]) -> None:
    """A run that is over, and a right that the user lacks."""
    kube.forbidden = {"portforward"}
    done = call("dashboard", "one")
    assert done.status == 1
    assert "ask for the verbs get and create on pods/portforward in namespace lab" in done.err
    del kube.objects[POD]
    add(kube, running=False)
    done = call("dashboard", "one")
    assert done.status == 1
    assert "has no running scheduler (Succeeded); its report has the timeline" in done.err
