"""Nothing is computed twice: known plans, shared operations, and what Kubernetes saw of them."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Watch, succeeded
from tests.support import workplans
from tests.support.cli import start
from tests.support.kubectl import Kubectl

pytestmark = pytest.mark.cluster

Namespaces = Callable[[], Kubectl]


def test_new_plan_is_computed_and_its_cluster_goes(kube: Kubectl, salt: float) -> None:
    """A new plan succeeds with its value; of all that was made for it the finished Job stays."""
    kube.apply(workplans.workplan("sum", workplans.addition(5 + salt, 3)))
    thing = succeeded(kube, "sum")
    assert workplans.results(thing) == {"sum": 8 + salt}
    assert thing["status"]["operations"]["computed"] == 1
    assert thing["status"]["progress"] == "1/1"
    for kind in ("daskcluster", "daskautoscaler"):
        kube.run("wait", "--for=delete", kind, "--all", "--timeout=60s")
    kube.run("wait", "--for=condition=Complete", "job", "--all", "--timeout=60s")
    assert [j["status"].get("succeeded") for j in kube.items("job")] == [1]
    # The account goes last, after all that it owns, keys for TLS included.
    kube.run("wait", "--for=delete", "serviceaccount", "-l", "voxk8s.io/workplan", "--timeout=60s")
    for kind in ("secret", "role", "rolebinding", "networkpolicy"):
        assert kube.items(kind, "voxk8s.io/workplan") == []


def test_known_plan_needs_no_pod(
    make_namespace: Namespaces, watch: Callable[[Kubectl, str], Watch], salt: float
) -> None:
    """The same plan under another name, in another namespace, ends with nothing ever started."""
    first, second = make_namespace(), make_namespace()
    plan = workplans.addition(7 + salt, 1)
    first.apply(workplans.workplan("first", plan))
    expected = workplans.results(succeeded(first, "first"))
    seen = [watch(second, kind) for kind in ("pods", "daskclusters", "jobs")]
    second.apply(workplans.workplan("another", plan))
    thing = succeeded(second, "another")
    assert workplans.results(thing) == expected
    operations = thing["status"]["operations"]
    assert (operations["computed"], operations["cached"]) == (0, 1)
    assert [one.stop() for one in seen] == [[], [], []]


def test_shared_operations_are_computed_once(kube: Kubectl, salt: float) -> None:
    """A plan that shares operations with an older one computes only the new ones."""
    common = [
        workplans.constant("a", 2 + salt),
        workplans.constant("b", 3),
        workplans.operation("s", "addition", "a", "b"),
    ]
    kube.apply(workplans.workplan("old", workplans.document(common, [workplans.show("s")])))
    succeeded(kube, "old")
    more = [*common, workplans.operation("p", "multiplication", "s", "b")]
    goals = [workplans.show("s"), workplans.show("p")]
    kube.apply(workplans.workplan("new", workplans.document(more, goals)))
    thing = succeeded(kube, "new")
    operations = thing["status"]["operations"]
    assert (operations["computed"], operations["cached"]) == (1, 1)
    assert workplans.results(thing) == {"s": 5 + salt, "p": (5 + salt) * 3}


def test_deletion_leaves_nothing_but_results(make_namespace: Namespaces, salt: float) -> None:
    """Deleting a running WorkPlan takes its pods along; what it computed stays known."""
    kube = make_namespace()
    plan = workplans.addition(11 + salt, 1)
    kube.apply(workplans.workplan("done", plan))
    succeeded(kube, "done")
    kube.delete("workplan", "done")
    for kind in ("daskclusters", "daskautoscalers", "jobs", "pods", "secrets", "configmaps"):
        kube.run("wait", "--for=delete", kind, "-l", "voxk8s.io/workplan", "--timeout=60s")
    kube.apply(workplans.workplan("again", plan))
    assert succeeded(kube, "again")["status"]["operations"]["computed"] == 0


def test_deletion_while_running(kube: Kubectl, salt: float, tmp_path: Path) -> None:
    """Deleting a WorkPlan that runs ends every pod of it; its dashboard is open until then."""
    kube.apply(workplans.workplan("long", workplans.sleeps(4, 30, salt)))
    kube.run("wait", "--for=condition=ClusterReady", "workplan/long", "--timeout=90s")
    env = {"KUBECONFIG": str(kube.kubeconfig)}
    words = ("dashboard", "long", "--no-browser", "-n", kube.namespace)
    dashboard = start(tmp_path, *words, env=env)
    try:
        assert dashboard.stdout is not None
        with urllib.request.urlopen(dashboard.stdout.readline().strip(), timeout=60) as page:
            assert "Bokeh" in page.read().decode()
        kube.delete("workplan", "long", "--timeout=60s")
        _, said = dashboard.communicate(timeout=60)
    finally:
        dashboard.kill()
    assert (dashboard.returncode, said.splitlines()[-1]) == (
        0,
        "voxk8s: the Dask cluster of long is gone",
    )
    for kind in ("daskclusters", "daskautoscalers", "jobs", "pods"):
        kube.run("wait", "--for=delete", kind, "--all", "--timeout=90s")


def test_kubectl_wait(kube: Kubectl, salt: float) -> None:
    """`kubectl wait --for=condition=Succeeded` returns when the results are there."""
    kube.apply(workplans.workplan("sum", workplans.addition(13 + salt, 3)))
    kube.run("wait", "--for=condition=Succeeded", "workplan/sum", "--timeout=120s")
    thing: dict[str, Any] = kube.get("workplan", "sum")
    assert workplans.results(thing) == {"sum": 16 + salt}
