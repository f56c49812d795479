"""The main job, shown: three WorkPlans over a real MRI on a real Kubernetes.

`make demo` installs everything and then runs `python -m tests.tools.demo`. With FRESH=1 in the
environment the results of an earlier demo are forgotten first, so that they are computed again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from tests.support import kstatus, workplans
from tests.support.kubectl import KUBECONFIG, Kubectl, KubectlError, connect
from tests.support.paths import ROOT
from tests.tools.cluster.paths import TOOLS
from tests.tools.demo import picture, scan, show


def main() -> int:
    """Run the three acts; gives the exit status."""
    cluster = connect()
    for namespace in ("demo", "demo-again"):
        cluster.make_namespace(namespace)
    first, margin = (
        workplans.sample("white-matter.yaml"),
        workplans.sample("white-matter-margin.yaml"),
    )
    show.step("Uploading the MRI (MNI152, T1-weighted, 1 mm) and what the other samples load")
    scan.upload()
    if os.environ.get("FRESH") == "1":
        show.step("Forgetting the results of earlier demos")
        scan.forget_results()

    here, there = cluster.within("demo"), cluster.within("demo-again")
    show.step("1. A new plan: find the white matter")
    one = run(here, first)
    show.step("2. The same plan under another name, in another namespace")
    two = run(there, {**first, "metadata": {"name": "same-question-elsewhere"}})
    show.step("3. Another plan that shares operations: a margin of 5 mm around it")
    three = run(here, margin)
    if not all(succeeded(thing) for thing in (one, two, three)):
        return 1

    path = show.REPORTS / "white-matter.png"
    picture.save_picture(one, three, path)
    show.step(f"Picture: {show.shown(path)}")
    status = verdict(there, one, two, three)
    show.step("Go on with a WorkPlan of your own (docs/cluster.md), until `make cluster-down`:")
    show.line(f"export KUBECONFIG={KUBECONFIG} PATH=$PATH:{TOOLS}; . {ROOT}/.venv/bin/activate")
    show.line("kubectl get workplans --all-namespaces")
    show.line("voxk8s report white-matter --namespace demo")
    return status


def run(kube: Kubectl, workplan: Mapping[str, Any]) -> dict[str, Any]:
    """Apply a WorkPlan, show its progress until it has ended, then its results."""
    name = workplan["metadata"]["name"]
    kube.delete("workplan", name)
    thing = show.follow(kube, name, lambda: kube.apply(workplan))
    show.outcome(thing)
    return thing


def succeeded(thing: Mapping[str, Any]) -> bool:
    """Return whether a WorkPlan succeeded."""
    return kstatus.condition(thing, "Succeeded").get("status") == "True"


def verdict(there: Kubectl, one: Any, two: Any, three: Any) -> int:
    """Check what the demo claims; gives the exit status."""
    counts = [thing["status"]["operations"] for thing in (one, two, three)]
    claims = {
        "the second plan computed nothing": counts[1]["computed"] == 0,
        "it needed no pod and no DaskCluster": not there.items("pods")
        and not there.items("daskclusters"),
        "both plans found the same": two["status"]["results"] == one["status"]["results"],
        "the third plan computed only what was new": counts[2]["computed"]
        <= counts[2]["total"] - counts[2]["cached"],
    }
    for claim, true in claims.items():
        show.line(f"{'yes' if true else 'NO '}  {claim}")
    return 0 if all(claims.values()) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (KubectlError, AssertionError) as error:
        sys.exit(f"demo: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
